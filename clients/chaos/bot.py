"""A bot on stock ccxt: places, asks, cancels, and takes errors as a careful one does.

It writes every intent down before it acts on it, and what it is told of each. What it cannot know
after an error it asks for by its own order id, or sends again under the same id; never under a new
one. Started again after it was killed, it goes on from its own log.

    bot.py SEAT.json LOG     SEAT: where to trade, the key, and how (see `KINDS` in `run.py`)
"""

import json
import os
import random
import signal
import sys
import threading
import time

import ccxt

import venues

# After this long a request that was sent can no longer arrive: the client's own receive window.
WINDOW_S = 15
# How old a price it trades on.
TOUCH_S = 4
# How often it has its open orders listed.
LOOK_S = 3
# How long it settles at the end.
SETTLE_S = 180
FINAL = ("closed", "canceled", "expired", "rejected")


class Intent:
    """An order that the bot wants, once."""

    def __init__(self, own, side, kind, amount, price):
        self.own, self.side, self.kind, self.amount, self.price = own, side, kind, amount, price
        self.state, self.venue_id, self.filled = None, None, 0.0
        self.sent = self.made = time.time()
        self.life = 0.0

    def is_over(self):
        return self.state in FINAL or self.state in ("refused", "never")


class Bot:
    def __init__(self, seat, log):
        self.seat = seat
        self.name = seat["name"]
        self.path = log
        self.lock = threading.Lock()
        self.intents = {}
        self.stopping = False
        self.count = 0
        self.position = 0.0
        self.market, self.market_at, self.looked = None, 0.0, 0.0
        self.chance = random.Random(f"{seat['seed']} {self.name} {time.time_ns()}")
        self.take_up()
        self.log = open(log, "a", buffering=1)
        self.venue = venues.of(ccxt, seat)

    def write(self, what, **more):
        with self.lock:
            self.log.write(json.dumps({"at": time.time(), "what": what, **more}, default=str) + "\n")

    def take_up(self):
        """Reads what it wrote before it was killed."""
        if not os.path.exists(self.path):
            return
        with open(self.path) as file:
            lines = [line for line in file if line.endswith("\n")]
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            own = told.get("id")
            if told["what"] == "intent":
                intent = Intent(own, told["side"], told["kind"], told["amount"], told["price"])
                intent.sent = intent.made = told["at"]
                self.intents[own] = intent
                self.count = max(self.count, int(own.rsplit("-", 1)[1]) + 1)
            elif own in self.intents:
                intent = self.intents[own]
                if told["what"] == "told":
                    intent.state, intent.venue_id = told["state"], told["venue_id"]
                    intent.filled = told["filled"]
                elif told["what"] in ("refused", "never"):
                    intent.state = told["what"]
                elif told["what"] == "sent":
                    intent.sent = told["at"]

    def tell(self, intent, how, order):
        """Takes down what it was told of an order."""
        state, filled = order["status"], float(order["filled"] or 0)
        with self.lock:
            if intent.state not in FINAL or state in FINAL:
                intent.state, intent.filled = state, max(filled, intent.filled)
                intent.venue_id = order["id"]
        self.write("told", id=intent.own, how=how, state=state, filled=filled, venue_id=order["id"])

    def act(self):
        """One thing that a bot does."""
        self.position = sum((1 if i.side == "buy" else -1) * i.filled for i in self.intents.values())
        live = [i for i in self.intents.values() if i.state == "open"]
        for intent in live:
            if time.time() - intent.made > intent.life:
                self.cancel(intent)
                return
        if time.time() - self.looked > LOOK_S:
            self.look(live)
            self.looked = time.time()
        elif len(live) < self.seat["most_open"]:
            self.place()

    def touch(self):
        """The best bid and ask; for some seconds the last known, so that most requests are orders."""
        if time.time() - self.market_at > TOUCH_S:
            self.market, self.market_at = self.venue.touch(), time.time()
        return self.market

    def place(self):
        bid, ask = self.touch()
        side = "buy" if self.chance.random() < (0.25 if self.position > 0 else 0.75) else "sell"
        kind = "market" if self.chance.random() < self.seat["market_share"] else "limit"
        price = None
        if kind == "limit":
            off = self.chance.uniform(-0.0002, 0.004) if self.seat["market_share"] else self.chance.uniform(0, 0.006)
            price = self.venue.price(bid * (1 - off) if side == "buy" else ask * (1 + off))
        amount = self.venue.amount(self.chance.randint(1, 5))
        own = f"{self.name}-{self.count}"
        self.count += 1
        intent = Intent(own, side, kind, amount, price)
        intent.life = self.chance.uniform(1, 12)
        self.intents[own] = intent
        self.write("intent", id=own, side=side, kind=kind, amount=amount, price=price)
        self.send(intent)

    def send(self, intent, again=False):
        """Sends the order; after an error that leaves it open what became of it, finds out."""
        intent.sent = time.time()
        self.write("sent", id=intent.own, again=again)
        try:
            order = self.venue.create(intent)
        except ccxt.OperationFailed as error:
            self.write("doubt", id=intent.own, error=brief(error))
            self.settle(intent)
        except ccxt.BaseError as error:
            if again or venues.is_duplicate(error):
                # The first may be there: this refusal speaks of the second alone.
                self.write("again-refused", id=intent.own, error=brief(error))
                self.settle(intent, may_send=False)
            else:
                intent.state = "refused"
                self.write("refused", id=intent.own, error=brief(error))
        else:
            self.tell(intent, "again" if again else "answer", order)

    def settle(self, intent, may_send=True):
        """Finds out what became of an order: by sending it again under the same id, where it does
        so, or by asking for that id until it is there or can no longer arrive."""
        if may_send and self.seat["again"] and not self.stopping and time.time() - intent.made < 30:
            time.sleep(0.5)
            self.send(intent, again=True)
            return
        begun = time.time()
        while True:
            try:
                order = self.venue.ask(intent)
            except ccxt.OrderNotFound as error:
                if time.time() - intent.sent > WINDOW_S:
                    intent.state = "never"
                    self.write("never", id=intent.own, error=brief(error))
                    return
            except ccxt.BaseError as error:
                self.write("ask-failed", id=intent.own, error=brief(error))
                if self.stopping and time.time() - begun > SETTLE_S:
                    return
            else:
                self.tell(intent, "asked", order)
                return
            time.sleep(1)

    def cancel(self, intent):
        try:
            self.venue.cancel(intent)
        except ccxt.OperationFailed as error:
            self.write("cancel-doubt", id=intent.own, error=brief(error))
        except ccxt.BaseError as error:
            self.write("cancel-refused", id=intent.own, error=brief(error))
        # What is left of it is asked for in any case: the answer may be older than a last fill.
        self.settle(intent, may_send=False)

    def look(self, live):
        """Compares what it takes for open with what it is shown."""
        shown = self.venue.open()
        for own, order in shown.items():
            if own in self.intents:
                self.tell(self.intents[own], "listed", order)
            else:
                self.write("stranger", id=own, venue_id=order["id"])
        for intent in live:
            if intent.own not in shown and intent.state == "open":
                self.settle(intent, may_send=False)

    def finish(self):
        """Cancels everything and makes sure of every order."""
        self.write("finishing")
        end = time.time() + SETTLE_S
        while time.time() < end:
            try:
                for intent in [i for i in self.intents.values() if not i.is_over()]:
                    if intent.state == "open":
                        self.cancel(intent)
                    else:
                        self.settle(intent, may_send=False)
                self.look([i for i in self.intents.values() if i.state == "open"])
            except ccxt.BaseError as error:
                self.write("error", error=brief(error))
                time.sleep(1)
                continue
            if all(i.is_over() for i in self.intents.values()):
                break
        for intent in [i for i in self.intents.values() if i.state == "never"]:
            # It must still not be there.
            self.settle(intent, may_send=False)
        for intent in self.intents.values():
            self.write("view", id=intent.own, state=intent.state, filled=intent.filled, venue_id=intent.venue_id)
        self.write("done")

    def run(self):
        parent = os.getppid()
        while not self.stopping and os.getppid() == parent:
            try:
                self.venue.begin()
                for intent in list(self.intents.values()):
                    if intent.state is None:
                        self.settle(intent, may_send=False)
                if self.seat["streams"]:
                    venues.Stream(self).start()
                break
            except ccxt.BaseError as error:
                self.write("error", error=brief(error))
                time.sleep(1)
        while not self.stopping and os.getppid() == parent:
            try:
                self.act()
            except ccxt.BaseError as error:
                self.write("error", error=brief(error))
                time.sleep(0.5)
            time.sleep(self.chance.uniform(*self.seat["pause"]))
        if os.getppid() == parent:
            self.finish()


def brief(error):
    return f"{type(error).__name__}: {str(error)[:300]}"


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        bot = Bot(json.load(file), sys.argv[2])

    def stop(*_):
        bot.stopping = True
    signal.signal(signal.SIGTERM, stop)
    bot.run()
