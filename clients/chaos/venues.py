"""The few calls that the bots and the judge make, by venue, on stock ccxt."""

import asyncio
import threading

import ccxt

import ccxt_urls


def client(module, seat):
    """A stock client of the seat's venue, pointed at the seat's address."""
    settings = {"apiKey": seat["key"], "secret": seat["secret"], "cafile": seat["ca"],
                # By this, REST trusts the authorities in `REQUESTS_CA_BUNDLE`.
                "requests_trust_env": True, "enableRateLimit": seat["venue"] == "deribit", "timeout": seat.get("timeout_ms", 10_000)}
    if seat["venue"] == "deribit":
        return ccxt_urls.deribit(module.deribit(settings), seat["rest"], seat["ws"])
    return ccxt_urls.binance(module.binanceusdm(settings), seat["rest"], seat["ws"])


def is_duplicate(error):
    """Whether a refusal says that the order's id is taken."""
    return any(sign in str(error) for sign in ("-4116", "-4111", "TG514", "uplicate"))


class Binance:
    """USDⓈ-M futures."""

    def __init__(self, module, seat):
        self.ex, self.symbol, self.unit = client(module, seat), seat["symbol"], seat["unit"]

    def begin(self):
        self.ex.load_markets()

    def touch(self):
        book = self.ex.fetch_order_book(self.symbol, 5)
        return book["bids"][0][0], book["asks"][0][0]

    def price(self, price):
        return float(self.ex.price_to_precision(self.symbol, price))

    def amount(self, units):
        return float(self.ex.amount_to_precision(self.symbol, units * self.unit))

    def create(self, intent):
        return self.ex.create_order(self.symbol, intent.kind, intent.side, intent.amount, intent.price,
                                    {"newClientOrderId": intent.own})

    def ask(self, intent):
        return self.ex.fetch_order(None, self.symbol, {"origClientOrderId": intent.own})

    def cancel(self, intent):
        return self.ex.cancel_order(None, self.symbol, {"origClientOrderId": intent.own})

    def open(self):
        return {order["clientOrderId"]: order for order in self.ex.fetch_open_orders(self.symbol)}

    def streamed(self, order):
        return order["clientOrderId"]


class Deribit:
    """Perpetual; the bot's id is the label, which the venue lets repeat."""

    def __init__(self, module, seat):
        self.ex, self.symbol, self.unit = client(module, seat), seat["symbol"], seat["unit"]

    begin, touch, price, amount = Binance.begin, Binance.touch, Binance.price, Binance.amount

    def create(self, intent):
        return self.ex.create_order(self.symbol, intent.kind, intent.side, intent.amount, intent.price,
                                    {"label": intent.own})

    def ask(self, intent):
        found = self.ex.privateGetGetOrderStateByLabel({"currency": "BTC", "label": intent.own})["result"]
        if not found:
            raise ccxt.OrderNotFound(f"no order has the label {intent.own}")
        if len(found) > 1:
            raise ccxt.ExchangeError(f"{len(found)} orders have the label {intent.own}")
        return self.ex.parse_order(found[0], self.ex.market(self.symbol))

    def cancel(self, intent):
        return self.ex.cancel_order(intent.venue_id, self.symbol)

    def open(self):
        return {order["info"]["label"]: order for order in self.ex.fetch_open_orders(self.symbol)}

    def streamed(self, order):
        return order["info"]["label"]


def of(module, seat):
    """The venue of a seat."""
    return (Deribit if seat["venue"] == "deribit" else Binance)(module, seat)


class Stream(threading.Thread):
    """Follows a bot's own orders over ccxt.pro's WebSocket, and tells it what comes."""

    def __init__(self, bot):
        super().__init__(daemon=True)
        self.bot = bot

    def run(self):
        asyncio.run(self.follow())

    async def follow(self):
        import ccxt.pro
        exchange = client(ccxt.pro, self.bot.seat)
        while not self.bot.stopping:
            try:
                for order in await exchange.watch_orders(self.bot.seat["symbol"]):
                    intent = self.bot.intents.get(self.bot.venue.streamed(order))
                    if intent:
                        self.bot.tell(intent, "stream", order)
                    else:
                        self.bot.write("stranger", id=self.bot.venue.streamed(order), venue_id=order["id"])
            except Exception as error:  # noqa: BLE001 - whatever it is, a bot connects again
                self.bot.write("stream-error", error=f"{type(error).__name__}: {str(error)[:200]}")
                await exchange.close()
                exchange = client(ccxt.pro, self.bot.seat)
                await asyncio.sleep(1)
