"""What the exchange itself says, past the gateway, with the desk's real keys."""

import json
import ssl
import time
import urllib.request

import ccxt

import venues

# The exchanges' words for an order's state, in ccxt's. Bots that share an account meet each other's
# orders: what self-trade prevention ends is EXPIRED_IN_MATCH at Binance.
STATES = {"NEW": "open", "PARTIALLY_FILLED": "open", "open": "open", "FILLED": "closed", "filled": "closed",
          "CANCELED": "canceled", "cancelled": "canceled", "EXPIRED": "expired", "EXPIRED_IN_MATCH": "expired",
          "REJECTED": "rejected", "rejected": "rejected"}
PAGE = 1000


class Exchange:
    """The orders of both venues by the client id that arrived; asked for again and again, because
    an exchange forgets."""

    def __init__(self, at, told, ca, symbols):
        self.url, self.symbols = f"https://{at}", symbols
        self.tls = ssl.create_default_context(cafile=ca)
        self.clients = {}
        for venue in ("binance", "deribit"):
            url = f"https://{at}/{venue}"
            keys = told["venues"][venue]
            self.clients[venue] = venues.client(ccxt, {
                "venue": venue, "rest": url, "ws": url.replace("http", "ws", 1), "ca": ca, "key": keys["key"],
                "secret": keys["secret"]})
        # By venue and client id: state, filled, signed filled, the venue's id, how often it is there.
        self.orders = {"binance": {}, "deribit": {}}
        self.arrivals = {"binance": {}, "deribit": {}}
        self.oldest_open = {}

    def look(self, patience=60):
        """Takes down what is there now."""
        end = time.monotonic() + patience
        while True:
            try:
                self.look_once()
                return
            except (ccxt.BaseError, OSError):
                # It may have been killed just now.
                if time.monotonic() > end:
                    raise
                time.sleep(1)

    def look_once(self):
        for venue in self.arrivals:
            with urllib.request.urlopen(f"{self.url}/sim/arrivals?venue={venue}", context=self.tls, timeout=10) as answer:
                for own, count in json.load(answer).items():
                    self.arrivals[venue][own] = max(count, self.arrivals[venue].get(own, 0))
        for symbol in self.symbols["binance"]:
            self.look_binance(symbol)
        for symbol in self.symbols["deribit"]:
            self.look_deribit(symbol)

    def look_binance(self, symbol):
        from_id = self.oldest_open.get(symbol, 0)
        oldest = None
        while True:
            rows = self.clients["binance"].fapiPrivateGetAllOrders({"symbol": symbol, "orderId": from_id, "limit": PAGE})
            for row in rows:
                number = int(row["orderId"])
                self.take("binance", row["clientOrderId"], str(row["orderId"]), row["status"], row["executedQty"],
                          row["side"] == "BUY", symbol)
                if STATES[row["status"]] == "open":
                    oldest = min(oldest or number, number)
                from_id = max(from_id, number)
            if len(rows) < PAGE:
                break
        self.oldest_open[symbol] = oldest or from_id

    def look_deribit(self, symbol):
        client = self.clients["deribit"]
        for row in client.privateGetGetOpenOrdersByInstrument({"instrument_name": symbol})["result"]:
            self.take_row(row, symbol)
        offset = 0
        while True:
            rows = client.privateGetGetOrderHistoryByInstrument({
                "instrument_name": symbol, "count": PAGE, "offset": offset, "include_old": "true",
                "include_unfilled": "true"})["result"]
            known = sum(self.take_row(row, symbol) for row in rows)
            offset += len(rows)
            if not rows or known == len(rows):
                break

    def take_row(self, row, symbol):
        return self.take("deribit", row["label"], row["order_id"], row["order_state"], row["filled_amount"],
                         row["direction"] == "buy", symbol)

    def take(self, venue, own, number, status, filled, buys, symbol):
        """Takes an order down; whether it was known just so."""
        by_number = self.orders[venue].setdefault(own, {})
        now = {"state": STATES[status], "filled": float(filled), "buys": buys, "symbol": symbol,
               "venue_id": number}
        same = by_number.get(number) == now
        by_number[number] = now
        return same

    def open_orders(self):
        """The client ids of what is open now."""
        found = {"binance": [], "deribit": []}
        for symbol in self.symbols["binance"]:
            rows = self.clients["binance"].fapiPrivateGetOpenOrders({"symbol": symbol})
            found["binance"] += [row["clientOrderId"] for row in rows]
        for symbol in self.symbols["deribit"]:
            rows = self.clients["deribit"].privateGetGetOpenOrdersByInstrument({"instrument_name": symbol})["result"]
            found["deribit"] += [row["label"] for row in rows]
        return found

    def positions(self):
        """Positions by venue and instrument, without those that are none."""
        rows = self.clients["binance"].fapiPrivateV2GetPositionRisk()
        binance = {row["symbol"]: float(row["positionAmt"]) for row in rows if float(row["positionAmt"])}
        rows = self.clients["deribit"].privateGetGetPositions({"currency": "BTC", "kind": "future"})["result"]
        deribit = {row["instrument_name"]: float(row["size"]) for row in rows if float(row["size"])}
        return {"binance": binance, "deribit": deribit}

    def sums(self):
        """What all fills come to, by venue and instrument."""
        found = {"binance": {}, "deribit": {}}
        for venue, orders in self.orders.items():
            for rows in orders.values():
                for row in rows.values():
                    signed = row["filled"] if row["buys"] else -row["filled"]
                    found[venue][row["symbol"]] = round(found[venue].get(row["symbol"], 0) + signed, 9)
        return {venue: {k: v for k, v in by.items() if v} for venue, by in found.items()}
