"""The judge must see what it is there to see: each thing that can be wrong, made wrong by hand."""

import collections
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import judge  # noqa: E402


class Made:
    """An exchange that has what a test puts there."""

    def __init__(self):
        self.arrivals = {"binance": {"tg-0": 1}, "deribit": {}}
        row = {"state": "closed", "filled": 2.0, "buys": True, "symbol": "BTCUSDT", "venue_id": "7"}
        self.orders = {"binance": {"tg-0": {"7": row}}, "deribit": {}}

    def positions(self):
        return {"binance": {"BTCUSDT": 2.0}, "deribit": {}}

    def sums(self):
        return {"binance": {"BTCUSDT": 2.0}, "deribit": {}}


def record(seq, name, **more):
    return json.dumps({"seq": seq, "record": {"at": 0, "body": {name: more}}})


def cleared(seq, client_id="tg-0", own="maker-0"):
    request = {"reduce_only": False, "caller_id": own, "instrument": {"venue": "binance", "name": "BTCUSDT"}}
    return record(seq, "Cleared", client_id=client_id, caller="maker", account="main", request=request,
                  decision={"reducing": False})


LINES = [record(0, "Started"), record(1, "Reconciled", account="main", corrected=[]),
         record(2, "Opened", account="main"), cleared(3)]


def bots(*lines):
    """What a bot wrote, after its intent."""
    made = judge.Bots([], None)
    intent = {"what": "intent", "id": "maker-0", "side": "buy", "amount": 2}
    for line in [intent, *lines]:
        made.take("maker", "binance", line)
    return made


def told(state="closed", filled=2.0, venue_id="7", how="answer"):
    return {"what": "told", "id": "maker-0", "state": state, "filled": filled, "venue_id": venue_id, "how": how}


def view(state="closed", filled=2.0):
    return {"what": "view", "id": "maker-0", "state": state, "filled": filled, "venue_id": "7"}


class Judge(unittest.TestCase):
    def reconciled(self, exchange, lines, *said):
        return [bad for _, _, bad in judge.reconciled(exchange, judge.Story(lines), bots(*said))]

    def test_all_is_well(self):
        self.assertEqual(self.reconciled(Made(), LINES, told(), view()), [[], [], []])
        self.assertEqual(judge.once(Made())[2], [])
        self.assertEqual(judge.in_journal(Made(), judge.Story(LINES))[2], [])

    def test_an_order_that_is_not_in_the_journal(self):
        made = Made()
        made.arrivals["binance"]["tg-9"] = 1
        self.assertEqual(len(judge.in_journal(made, judge.Story(LINES))[2]), 1)

    def test_an_order_that_arrived_twice(self):
        made = Made()
        made.arrivals["binance"]["tg-0"] = 2
        self.assertEqual(len(judge.once(made)[2]), 1)
        made = Made()
        made.orders["binance"]["tg-0"]["8"] = made.orders["binance"]["tg-0"]["7"]
        self.assertEqual(len(judge.once(made)[2]), 1)

    def test_one_intent_that_became_two_orders(self):
        made = Made()
        made.orders["binance"]["tg-1"] = {"8": {**made.orders["binance"]["tg-0"]["7"], "venue_id": "8"}}
        twice, _, _ = self.reconciled(made, [*LINES, cleared(4, "tg-1")], told(), view())
        self.assertEqual(len(twice), 1)

    def test_an_order_that_was_told_and_is_lost(self):
        made = Made()
        made.orders["binance"].clear()
        self.assertEqual([len(bad) for bad in self.reconciled(made, LINES, told())], [0, 1, 0])

    def test_an_order_that_nobody_intended(self):
        lines = [*LINES, cleared(4, "tg-1", "maker-1")]
        made = Made()
        made.orders["binance"]["tg-1"] = {"8": {**made.orders["binance"]["tg-0"]["7"], "venue_id": "8"}}
        self.assertEqual([len(bad) for bad in self.reconciled(made, lines, told(), view())], [0, 1, 0])

    def test_statements_that_are_not_so(self):
        for said in [
            told(state="canceled"), told(filled=1.0), told(venue_id="8"), told(state="open", filled=3.0),
            view(state="canceled"), view(filled=1.0), {"what": "refused", "id": "maker-0", "error": "no"},
            {"what": "never", "id": "maker-0"}, {"what": "stranger", "id": "x", "venue_id": "9"},
        ]:
            with self.subTest(said=said):
                self.assertEqual([len(bad) for bad in self.reconciled(Made(), LINES, said)], [0, 0, 1])
        made = Made()
        made.orders["binance"].clear()
        self.assertEqual([len(bad) for bad in self.reconciled(made, LINES, view(state=None))], [0, 0, 1])

    def test_positions_that_differ(self):
        status = {"accounts": [{"venue": "binance", "positions": {"BTCUSDT": "2"}}]}
        self.assertEqual(judge.positions(Made(), status)[2], [])
        status["accounts"][0]["positions"]["BTCUSDT"] = "3"
        self.assertEqual(len(judge.positions(Made(), status)[2]), 1)

    def test_accounts_that_open_too_early(self):
        story = judge.Story([LINES[0], LINES[2], *LINES[3:]])
        self.assertEqual((len(story.unreconciled), len(story.too_early)), (1, 0))
        story = judge.Story([LINES[0], LINES[3]])
        self.assertEqual((len(story.unreconciled), len(story.too_early)), (0, 1))
        story = judge.Story([*LINES, record(4, "Closed", account="main"), cleared(5)])
        self.assertEqual(len(story.too_early), 1)
        story = judge.Story([record(1, "Reconciled", account="main", corrected=["BTCUSDT"])])
        self.assertEqual(len(story.corrected), 1)
        self.assertIsInstance(story.counts, collections.Counter)


if __name__ == "__main__":
    unittest.main()
