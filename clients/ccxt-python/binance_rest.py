"""ccxt (Python, REST) on USDⓈ-M futures: markets, balance, every kind of order, refusals."""

import ccxt
import target
from scenario import THROUGH_TIDEGATE, check, done, refused, refused_here, step, until

SYMBOL = "BTC/USDT:USDT"
ex = target.binance(ccxt)

markets = ex.load_markets()
ex.cancel_all_orders(SYMBOL)
market = markets[SYMBOL]
step("market", {k: market[k] for k in ("id", "type", "linear", "contractSize", "precision", "active")})
balance = ex.fetch_balance()
check(balance["USDT"]["total"] > 0, "the account is funded")
# Fewer levels than the market's makers quote: what was just taken does not shorten the answer.
book = ex.fetch_order_book(SYMBOL, 10)
check(book["bids"][0][0] < book["asks"][0][0], "the book is not crossed")
step("book", {"levels": [len(book["bids"]), len(book["asks"])]})
ticker = ex.fetch_ticker(SYMBOL)
step("ticker", sorted(k for k, v in ticker.items() if v is not None))
mid = (book["bids"][0][0] + book["asks"][0][0]) / 2


def away(share):
    return float(ex.price_to_precision(SYMBOL, mid * share))


def amend_to(amount):
    """Amends an order of its own, which stays as it was when that is refused."""
    placed = ex.create_order(SYMBOL, "limit", "buy", 0.01, away(0.99))
    try:
        ex.edit_order(placed["id"], SYMBOL, "limit", "buy", amount, away(0.99))
    finally:
        check(ex.fetch_order(placed["id"], SYMBOL)["amount"] == 0.01, "the refused amend changed nothing")
        ex.cancel_order(placed["id"], SYMBOL)


def brief(order):
    names = ("status", "type", "side", "amount", "filled", "remaining", "timeInForce", "postOnly",
             "reduceOnly", "symbol", "price")
    own = order["clientOrderId"]
    # The client draws an id that begins like this when it is given none.
    return {**{k: order[k] for k in names}, "own": None if own.startswith("x-") else own}


# limit, and everything that can be done to it
first_price = away(0.99)
order = ex.create_order(SYMBOL, "limit", "buy", 0.01, first_price, {"newClientOrderId": "mine-1"})
check(order["clientOrderId"] == "mine-1", "the caller's own id comes back")
step("limit", brief(order))
seen = ex.fetch_order(order["id"], SYMBOL)
check(seen["clientOrderId"] == "mine-1" and seen["status"] == "open", "the order is found by id")
step("limit seen", brief(seen))
opened = ex.fetch_open_orders(SYMBOL)
check([o["id"] for o in opened] == [order["id"]], "the order is the only open one")
amended = ex.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, away(0.985))
check(amended["amount"] == 0.02, "the amend took")
step("amended", brief(amended))
refused("another order under its id", ex.create_order, SYMBOL, "limit", "buy", 0.03, away(0.99), {"newClientOrderId": "mine-1"})
if THROUGH_TIDEGATE:
    again = ex.create_order(SYMBOL, "limit", "buy", 0.01, first_price, {"newClientOrderId": "mine-1"})
    check((again["id"], again["amount"]) == (order["id"], 0.02), "the same order again is the order that is open")
cancelled = ex.cancel_order(order["id"], SYMBOL)
check(cancelled["status"] == "canceled", "the order is cancelled")
step("cancelled", brief(cancelled))
refused("cancel again", ex.cancel_order, order["id"], SYMBOL)
check(ex.fetch_open_orders(SYMBOL) == [], "nothing is open")

# by the caller's own id
order = ex.create_order(SYMBOL, "limit", "sell", 0.01, away(1.01), {"newClientOrderId": "mine/2:a.b"})
cancelled = ex.cancel_order(None, SYMBOL, {"origClientOrderId": "mine/2:a.b"})
check(cancelled["clientOrderId"] == "mine/2:a.b", "cancelled by the caller's own id")
step("cancelled by own id", brief(cancelled))

# maker only
order = ex.create_order(SYMBOL, "limit", "buy", 0.01, away(0.99), {"postOnly": True})
step("post-only", brief(order))
refused("post-only that would take", ex.create_order, SYMBOL, "limit", "buy", 0.01, away(1.005), {"postOnly": True})

# a batch, one leg bad
orders = ex.create_orders([
    {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": away(0.99), "params": {}},
    {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": away(0.98), "params": {}},
])
step("batch", [brief(o) for o in orders])
check(len(ex.fetch_open_orders(SYMBOL)) == 3, "three are open")
ex.cancel_all_orders(SYMBOL)
until("nothing open", lambda: ex.fetch_open_orders(SYMBOL) == [])
step("cancelled all", [])

# a position, and back to none
bought = ex.create_order(SYMBOL, "market", "buy", 0.02)
bought = until("filled", lambda: (o := ex.fetch_order(bought["id"], SYMBOL))["status"] == "closed" and o)
step("market", brief(bought))
position = next(p for p in ex.fetch_positions([SYMBOL]) if p["contracts"])
check(position["contracts"] == 0.02 and position["side"] == "long", "the position is there")
step("position", {k: position[k] for k in ("contracts", "side", "contractSize", "marginMode")})
trades = until("trades", lambda: ex.fetch_my_trades(SYMBOL))
check(abs(sum(t["amount"] for t in trades if t["order"] == bought["id"]) - 0.02) < 1e-9, "the trades add up")
stop = ex.create_order(SYMBOL, "market", "sell", 0.02, None, {"stopLossPrice": away(0.97), "reduceOnly": True})
step("stop", {k: stop[k] for k in ("type", "side", "amount", "reduceOnly")})
conditional = until("stop open", lambda: ex.fetch_open_orders(SYMBOL, params={"trigger": True}))
check([o["id"] for o in conditional] == [stop["id"]], "the stop waits")
ex.cancel_order(stop["id"], SYMBOL, {"trigger": True})
until("stop gone", lambda: ex.fetch_open_orders(SYMBOL, params={"trigger": True}) == [])
sold = ex.create_order(SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})
step("reduce-only", brief(sold))
until("flat", lambda: not any(p["contracts"] for p in ex.fetch_positions([SYMBOL])))
refused("reduce-only without a position", ex.create_order, SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})

# refusals of the venue's, the same through Tidegate
refused("no such order", ex.cancel_order, "1", SYMBOL)
refused("no such order to see", ex.fetch_order, "1", SYMBOL)
refused("off the tick", ex.fapiPrivatePostOrder, {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "quantity": "0.01", "price": f"{away(0.99):.1f}3"})
refused("off the lot", ex.fapiPrivatePostOrder, {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "quantity": "0.01003", "price": f"{away(0.99):.1f}"})
refused("no such instrument", ex.fapiPrivatePostOrder, {"symbol": "NOPEUSDT", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "quantity": "0.01", "price": "1"})
refused("no quantity", ex.fapiPrivatePostOrder, {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "price": f"{away(0.99):.1f}"})
bad = target.binance(ccxt)
bad.secret = "0" * 64
refused("wrong secret", bad.fapiPrivateV3GetAccount)
bad = target.binance(ccxt)
bad.apiKey = "0" * 64
refused("wrong key", bad.fapiPrivateV3GetAccount)
late = target.binance(ccxt)
late.options["timeDifference"] = 120_000
refused("too late", late.fapiPrivateV3GetAccount)

# refusals of Tidegate's own
if THROUGH_TIDEGATE:
    def as_caller(caller):
        other = target.binance(ccxt, caller)
        other.set_markets(ex.markets)
        return other

    limit = (SYMBOL, "limit", "buy", 0.01, away(0.99))
    refused_here("too large", "TG502", "ExchangeError", ex.create_order, SYMBOL, "limit", "buy", 900, away(0.999))
    refused_here("far from the mark", "TG503", "BadRequest", ex.create_order, SYMBOL, "limit", "buy", 0.01, away(1.5))
    refused_here("amended too large", "TG502", "ExchangeError", amend_to, 900)
    refused_here("withdraw", "TG202", "AuthenticationError", ex.sapiPostCapitalWithdrawApply,
                 {"coin": "USDT", "address": "x", "amount": 1})
    refused_here("transfer", "TG202", "AuthenticationError", ex.sapiPostAssetTransfer,
                 {"asset": "USDT", "amount": 1, "type": "UMFUTURE_MAIN"})
    refused_here("no such route", "TG201", "BadRequest", ex.sapiGetAccountStatus)
    refused_here("sent again", "TG105", "AuthenticationError", target.sent_twice, ex, "order", "fapiPrivate", "POST", {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
        "price": str(away(0.98)), "newClientOrderId": "sent-again"})
    check([o["clientOrderId"] for o in ex.fetch_open_orders(SYMBOL)] == ["sent-again"], "it took effect once")
    ex.cancel_all_orders(SYMBOL)
    refused_here("halted", "TG509", "ExchangeError", as_caller("halted").create_order, *limit)
    refused_here("instrument not granted", "TG302", "ExchangeError", as_caller("narrow").create_order, *limit)
    refused_here("type not granted", "TG304", "ExchangeError", as_caller("narrow").create_order,
                 "ETH/USDT:USDT", "market", "buy", 0.1)
    refused_here("only reading", "TG301", "AuthenticationError", as_caller("reader").create_order, *limit)
    check(as_caller("reader").fetch_balance()["USDT"]["total"] > 0, "who may only read may read")
    refused_here("settings not granted", "TG306", "AuthenticationError", as_caller("second").set_leverage, 5, SYMBOL)
    slow = as_caller("slow")
    refused_here("too fast", "TG401", "DDoSProtection", lambda: [slow.create_order(*limit) for _ in range(3)])
    slow.cancel_all_orders(SYMBOL)
    # The venue's own words, which every client knows: the same as for a key that never was.
    refused_here("revoked", None, "AuthenticationError", as_caller("revoked").fetch_open_orders, SYMBOL)
done()
