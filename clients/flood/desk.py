"""Callers of the gateway that sign as Binance's do, and what becomes of well-behaved ones."""

import hashlib
import hmac
import http.client
import json
import ssl
import threading
import time
import urllib.parse

# What a caller does between two requests: it is well behaved.
READ_PAUSE_S = 0.02
# Less than what the exchange takes of an account, others of the demo included.
TRADE_PAUSE_S = 0.1
NEWCOMER_PAUSE_S = 0.2
GONE = (OSError, http.client.HTTPException, ValueError)


class Caller:
    """One key on one connection from one address."""

    def __init__(self, target, keys, address):
        parts = urllib.parse.urlsplit(target["rest"])
        trust = ssl.create_default_context(cafile=target["ca"])
        self.path, self.keys = parts.path, keys
        self.connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=15, context=trust,
                                                      source_address=(address, 0))
        self.connection.connect()

    def ask(self, method, path, params):
        """The status and the answer of a signed request."""
        text = urllib.parse.urlencode({**params, "recvWindow": 5000, "timestamp": int(time.time() * 1000)})
        signature = hmac.new(self.keys["secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
        self.connection.request(method, f"{self.path}{path}?{text}&signature={signature}",
                                headers={"X-MBX-APIKEY": self.keys["key"]})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


class Seen:
    """How long what took, and what was refused."""

    def __init__(self):
        self.times = {"order": [], "cancel": [], "read": [], "new": []}
        self.refused = []

    def ask(self, kind, caller, *asked):
        """Asks, and keeps how long it took."""
        began = time.monotonic()
        status, answer = caller.ask(*asked)
        took = time.monotonic() - began
        if status == 200:
            self.times[kind].append(took)
        else:
            self.refused.append((kind, status, str(answer)[:120]))
        return status, answer


class Traders:
    """One that places and cancels, one that reads, and one that comes anew each time."""

    def __init__(self, target, trades, reads):
        self.target, self.keys = target, (trades, reads)
        self.connect()
        _, mark = self.trader.ask("GET", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"})
        self.price, self.placed = int(float(mark["markPrice"]) * 0.97), 0

    def connect(self):
        """Connections anew."""
        self.trader = Caller(self.target, self.keys[0], "127.0.0.2")
        self.reader = Caller(self.target, self.keys[1], "127.0.0.3")

    def measure(self, seconds):
        """What they see for a while."""
        seen, until = Seen(), time.monotonic() + seconds
        def repeat(work, pause):
            while time.monotonic() < until:
                try:
                    work(seen)
                except GONE as error:
                    seen.refused.append(("connection", repr(error)))
                    return
                time.sleep(pause)
        others = [threading.Thread(target=repeat, args=(work, pause))
                  for work, pause in ((self.read, READ_PAUSE_S), (self.come_anew, NEWCOMER_PAUSE_S))]
        for other in others:
            other.start()
        repeat(self.trade, TRADE_PAUSE_S)
        for other in others:
            other.join()
        return seen

    def trade(self, seen):
        """An order, and its cancel. No two in a row are the same, which would look like a loop."""
        self.placed += 1
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.002",
                 "price": self.price - self.placed % 200}
        status, placed = seen.ask("order", self.trader, "POST", "/fapi/v1/order", order)
        if status == 200:
            order = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
            seen.ask("cancel", self.trader, "DELETE", "/fapi/v1/order", order)

    def read(self, seen):
        """The mark, which the gateway knows."""
        seen.ask("read", self.reader, "GET", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"})

    def come_anew(self, seen):
        """The mark, over a connection of its own, whose making counts."""
        began = time.monotonic()
        caller = Caller(self.target, self.keys[1], "127.0.0.4")
        status, answer = caller.ask("GET", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"})
        caller.connection.close()
        if status == 200:
            seen.times["new"].append(time.monotonic() - began)
        else:
            seen.refused.append(("new", status, str(answer)[:120]))

    def recovers(self, within, seconds):
        """After how long five cancels in a row, over a new connection, take no longer than `within`."""
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            try:
                self.connect()
                seen = Seen()
                for _ in range(5):
                    self.trade(seen)
                if len(seen.times["cancel"]) == 5 and max(seen.times["cancel"]) <= within:
                    return time.monotonic() - began
            except GONE:
                pass
            time.sleep(0.1)
        return None
