"""Holds against each other, once all is quiet: what the exchange has, what the journal says, and what
each bot intended and was told."""

import json
import subprocess
from collections import Counter, defaultdict

import targets

FINAL = ("closed", "canceled", "expired", "rejected")


class Story:
    """What the journal tells."""

    def __init__(self, lines):
        self.counts = Counter()
        # By venue: client id -> (caller, the caller's own id).
        self.cleared = {"binance": {}, "deribit": {}}
        self.too_early, self.unreconciled, self.corrected = [], [], []
        self.openings = Counter()
        self.open, self.reconciled = set(), set()
        for line in lines:
            entry = json.loads(line)
            body = entry["record"]["body"]
            name, more = (body, {}) if isinstance(body, str) else next(iter(body.items()))
            self.counts[name] += 1
            self.take(entry["seq"], name, more)

    def take(self, seq, name, more):
        account = more.get("account")
        if name == "Started":
            self.open, self.reconciled = set(), set()
        elif name == "Closed":
            self.open.discard(account)
            self.reconciled.discard(account)
        elif name == "Reconciled":
            self.reconciled.add(account)
            if more["corrected"]:
                self.corrected.append(f"record {seq}: {account}: {more['corrected']}")
        elif name == "Opened":
            self.openings[account] += 1
            if account not in self.reconciled:
                self.unreconciled.append(f"record {seq}: {account} opened without reconciliation")
            self.open.add(account)
        elif name == "Cleared":
            request = more["request"]
            reduces = request["reduce_only"] or more["decision"]["reducing"]
            if account not in self.open and not reduces:
                self.too_early.append(f"record {seq}: {more['client_id']} cleared while {account} was closed")
            venue = request["instrument"]["venue"]
            self.cleared[venue][more["client_id"]] = (more["caller"], request["caller_id"])


class Bots:
    """What the bots wrote down."""

    def __init__(self, seats, folder):
        self.intents = {}
        self.counts = Counter()
        self.errors = []
        self.unfinished = []
        for seat in seats:
            name, last = seat["name"], None
            with open(folder / f"{name}.jsonl") as file:
                for line in file:
                    try:
                        told = json.loads(line)
                    except ValueError:
                        continue  # cut off when it was killed
                    last = told["what"]
                    self.take(name, seat["venue"], told)
            if last != "done":
                self.unfinished.append(f"{name} did not come to an end: see {folder / name}.jsonl")

    def take(self, name, venue, told):
        what = told["what"]
        self.counts[what] += 1
        if what == "intent":
            self.intents[name, told["id"]] = {
                "venue": venue, "side": told["side"], "amount": told["amount"], "told": [], "refused": False,
                "never": False, "view": None}
            return
        if what == "stranger":
            self.errors.append(f"{name} was shown an order that is not its own: {told['id']} {told['venue_id']}")
        intent = self.intents.get((name, told.get("id")))
        if intent is None:
            return
        if what == "told":
            intent["told"].append(told)
        elif what == "refused":
            intent["refused"] = told["error"]
        elif what == "never":
            intent["never"] = True
        elif what == "view":
            intent["view"] = told


def judge(place, exchange, bots, status):
    """Every check by name, with what it counted and what violates it."""
    lines = place.folder / "journal.jsonl"
    with open(lines, "w") as file:
        subprocess.run([str(targets.binary()), "journal", "--data-dir", str(place.data)], stdout=file, check=True)
    with open(lines) as file:
        story = Story(file)
    found = [
        in_journal(exchange, story), once(exchange), *reconciled(exchange, story, bots), positions(exchange, status),
        ("accounts opened after reconciliation only", f"{sum(story.openings.values())} openings",
         story.unreconciled + story.too_early),
        ("no position had to be corrected", f"{story.counts['Reconciled']} comparisons", story.corrected),
        ("no order is foreign", f"{len(status['foreign'])} foreign", [str(order) for order in status["foreign"]]),
        verified(place, story),
    ]
    return found, story


def in_journal(exchange, story):
    """Every order that arrived is one that the journal cleared before."""
    ids = {(venue, own) for venue in exchange.orders for own in
           [*exchange.arrivals[venue], *exchange.orders[venue]]}
    bad = [f"{venue}: {own or 'an order without client id'} is at the exchange and not in the journal"
           for venue, own in sorted(ids) if own not in story.cleared[venue]]
    return "every order at the exchange is in the journal", f"{len(ids)} orders arrived", bad


def once(exchange):
    """No client id arrived twice."""
    bad = [f"{venue}: {own} arrived {count} times" for venue, by in exchange.arrivals.items()
           for own, count in by.items() if count > 1]
    bad += [f"{venue}: {own} is there {len(rows)} times" for venue, by in exchange.orders.items()
            for own, rows in by.items() if len(rows) > 1]
    return "no order arrived twice", f"{sum(len(by) for by in exchange.arrivals.values())} ids", bad


def reconciled(exchange, story, bots):
    """What each bot was told is so at the exchange, and each intent is one order at most."""
    there = defaultdict(list)
    for venue, cleared in story.cleared.items():
        for own, (caller, callers) in cleared.items():
            there[caller, callers] += exchange.orders[venue].get(own, {}).values()
    twice, wrong, lost = [], [], []
    for (name, own), intent in bots.intents.items():
        rows = there[name, own]
        if len(rows) > 1:
            ids = [row["venue_id"] for row in rows]
            twice.append(f"{own}: one intent, {len(rows)} orders at the exchange: {', '.join(ids)}")
            continue
        row = rows[0] if rows else None
        for told in intent["told"]:
            if row is None:
                lost.append(f"{own}: told {told['state']} by {told['how']}, and the exchange has no such order")
                break
            wrong += contradictions(own, told, row)
        if row and (intent["refused"] or intent["never"]) and row["state"] != "rejected":
            said = intent["refused"] or "that it never arrived"
            wrong.append(f"{own}: told {said}, and the exchange has it as {row['state']}, {row['filled']} filled")
        view = intent["view"]
        if view and row and (view["state"], view["filled"]) != (row["state"], row["filled"]):
            wrong.append(f"{own}: the bot ends with {view['state']}, {view['filled']} filled; the exchange has "
                         f"{row['state']}, {row['filled']}")
        elif view and view["state"] is None:
            wrong.append(f"{own}: the bot never learned what became of it")
    known = {(name, own) for name, own in bots.intents}
    strangers = [f"{key}: at the exchange, and no bot intended it" for key, rows in there.items()
                 if rows and key not in known and not str(key[0]).startswith("probe")]
    count = len(bots.intents)
    return [
        ("one intent is one order at most", f"{count} intents", twice),
        ("what was told to be there is there", f"{bots.counts['told']} statements", lost + strangers),
        ("what was told is so at the exchange", f"{sum(1 for i in bots.intents.values() if i['view'])} final views",
         wrong + bots.errors + bots.unfinished),
    ]


def contradictions(own, told, row):
    """What of a statement cannot be so, given how the order ended."""
    state, filled = told["state"], told["filled"]
    if told["venue_id"] and str(told["venue_id"]) != row["venue_id"]:
        return [f"{own}: told of order {told['venue_id']}, the exchange has {row['venue_id']}"]
    if state in FINAL and (state, filled) != (row["state"], row["filled"]):
        # A cancel's answer may be older than the last fill; a client that asks is told the end.
        if not (told["how"] == "stream" and state == row["state"]):
            return [f"{own}: told {state}, {filled} filled, by {told['how']}; the exchange has {row['state']}, "
                    f"{row['filled']}"]
    if filled > row["filled"]:
        return [f"{own}: told {filled} filled, the exchange has {row['filled']}"]
    return []


def positions(exchange, status):
    """The gateway's positions are the exchange's, and both are what the fills come to."""
    there, sums = exchange.positions(), exchange.sums()
    bad, shown = [], []
    for account in status["accounts"]:
        venue = account["venue"]
        here = {name: float(qty) for name, qty in account["positions"].items() if float(qty)}
        shown.append(f"{venue} {there[venue]}")
        if not here == there[venue] == sums[venue]:
            bad.append(f"{venue}: gateway {here}, exchange {there[venue]}, sum of fills {sums[venue]}")
    return "positions are the exchange's and the sum of fills", "; ".join(shown), bad


def verified(place, story):
    code, report = place.own("verify", check=False)
    bad = [] if code == 0 else [f"`tidegate verify` ended with {code}: {report}"]
    return "the journal verifies", f"{sum(story.counts.values())} records", bad
