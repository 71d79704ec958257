"""ccxt (Python, REST) on Deribit: perpetual, dated future and option; every kind of order, refusals."""

import ccxt
import target
from scenario import THROUGH_TIDEGATE, check, done, refused, refused_here, step, until

SYMBOL = "BTC/USD:BTC"
ex = target.deribit(ccxt)

markets = ex.load_markets()
ex.cancel_all_orders(SYMBOL)
market = markets[SYMBOL]
step("market", {k: market[k] for k in ("id", "type", "inverse", "contractSize", "precision", "active")})
kinds = {m["type"] for m in markets.values()}
check({"swap", "future", "option"} <= kinds, "perpetuals, futures and options are listed")
balance = ex.fetch_balance()
check(balance["BTC"]["total"] > 0, "the account is funded")
book = ex.fetch_order_book(SYMBOL, 20)
check(book["bids"][0][0] < book["asks"][0][0], "the book is not crossed")
step("book", {"sides": [len(book["bids"]) > 0, len(book["asks"]) > 0]})
step("ticker", sorted(k for k, v in ex.fetch_ticker(SYMBOL).items() if v is not None))
mid = (book["bids"][0][0] + book["asks"][0][0]) / 2


def away(share):
    return float(ex.price_to_precision(SYMBOL, mid * share))


def brief(order):
    names = ("status", "type", "side", "amount", "filled", "remaining", "timeInForce", "postOnly",
             "symbol", "price")
    return {**{k: order[k] for k in names}, "mine": order["info"].get("label")}


order = ex.create_order(SYMBOL, "limit", "buy", 100, away(0.99), {"label": "mine 1"})
check(order["info"]["label"] == "mine 1", "the caller's own label comes back")
step("limit", brief(order))
seen = ex.fetch_order(order["id"], SYMBOL)
check(seen["info"]["label"] == "mine 1" and seen["status"] == "open", "the order is found by id")
step("limit seen", brief(seen))
check([o["id"] for o in ex.fetch_open_orders(SYMBOL)] == [order["id"]], "the order is the only open one")
amended = ex.edit_order(order["id"], SYMBOL, "limit", "buy", 200, away(0.992))
check(amended["amount"] == 200, "the amend took")
step("amended", brief(amended))
cancelled = ex.cancel_order(order["id"], SYMBOL)
check(cancelled["status"] == "canceled", "the order is cancelled")
step("cancelled", brief(cancelled))
refused("cancel again", ex.cancel_order, order["id"], SYMBOL)
check(ex.fetch_open_orders(SYMBOL) == [], "nothing is open")

unlabelled = ex.create_order(SYMBOL, "limit", "sell", 100, away(1.01))
step("unlabelled", brief(unlabelled))
post_only = ex.create_order(SYMBOL, "limit", "buy", 100, away(0.99), {"post_only": True})
step("post-only", brief(post_only))
refused("post-only that would take", ex.create_order, SYMBOL, "limit", "buy", 100, away(1.004),
        {"post_only": True, "reject_post_only": True})
check(len(ex.fetch_open_orders(SYMBOL)) == 2, "two are open")
ex.cancel_all_orders(SYMBOL)
until("nothing open", lambda: ex.fetch_open_orders(SYMBOL) == [])
step("cancelled all", [])

bought = ex.create_order(SYMBOL, "market", "buy", 200)
check(bought["status"] == "closed" and bought["filled"] == 200, "the market order filled")
step("market", brief(bought))
position = ex.fetch_position(SYMBOL)
step("position", {k: position[k] for k in ("side", "symbol")})
positions = [p for p in ex.fetch_positions() if p["symbol"] == SYMBOL and p["info"]["size"] not in (0, "0", "0.0")]
check(len(positions) == 1, "the position is listed")
trades = until("trades", lambda: ex.fetch_my_trades(SYMBOL))
check(sum(t["amount"] for t in trades if t["order"] == bought["id"]) == 200, "the trades add up")
stop = ex.create_order(SYMBOL, "stop_market", "sell", 200, None,
                       {"trigger": "mark_price", "trigger_price": away(0.97), "reduce_only": True})
step("stop", {k: stop["info"][k] for k in ("order_type", "order_state", "direction", "amount", "trigger")})
ex.cancel_order(stop["id"], SYMBOL)
sold = ex.create_order(SYMBOL, "market", "sell", 200, None, {"reduce_only": True})
step("reduce-only", brief(sold))
until("flat", lambda: all(p["symbol"] != SYMBOL or p["info"]["size"] in (0, "0", "0.0") for p in ex.fetch_positions()))

# an option: a limit order below the mark, and away again; the last to expire, because in the hours before an expiry
# the whole premium is a tick or two and no price rests below it
options = sorted((m for m in markets.values() if m["type"] == "option" and m["base"] == "BTC"
                  and m["optionType"] == "call"), key=lambda m: (-m["expiry"], abs(m["strike"] - mid)))
option = options[0]["symbol"]
premium = ex.fetch_ticker(option)["info"]["mark_price"]
# Half a thousandth is a tick at every premium.
price = int(float(premium) * 0.8 / 0.0005) * 5 / 10_000
check(price > 0, "the option has a premium to bid below")
order = ex.create_order(option, "limit", "buy", 0.1, price, {"label": "call"})
step("option", {k: brief(order)[k] for k in ("status", "type", "side", "amount", "filled", "mine")})
step("option cancelled", ex.cancel_order(order["id"], option)["status"])

refused("no such order", ex.cancel_order, "1", SYMBOL)
refused("no such order to see", ex.fetch_order, "1", SYMBOL)
refused("off the tick", ex.privateGetBuy, {"instrument_name": "BTC-PERPETUAL", "amount": 100, "type": "limit",
        "price": away(0.99) + 0.1})
refused("off the lot", ex.privateGetBuy, {"instrument_name": "BTC-PERPETUAL", "amount": 15, "type": "limit",
        "price": away(0.99)})
refused("no such instrument", ex.privateGetBuy, {"instrument_name": "NOPE-PERPETUAL", "amount": 10, "type": "limit",
        "price": 1})
refused("no such method", ex.privateGetGetEmailLanguage)
bad = target.deribit(ccxt)
bad.secret = "0" * 43
refused("wrong secret", bad.privateGetGetPositions)

bad = target.deribit(ccxt)
bad.apiKey = "nobody00"
refused("wrong key", bad.privateGetGetPositions)

if THROUGH_TIDEGATE:
    def as_caller(caller):
        other = target.deribit(ccxt, caller)
        other.set_markets(ex.markets)
        return other

    limit = (SYMBOL, "limit", "buy", 100, away(0.99))
    refused_here("too large", "TG502", "ExchangeError", ex.create_order, SYMBOL, "limit", "buy", 5_000_000, away(0.999))
    refused_here("far from the mark", "TG503", "ExchangeError", ex.create_order, SYMBOL, "limit", "buy", 100, away(1.2))
    refused_here("withdraw", "TG202", "PermissionDenied", ex.privateGetWithdraw,
                 {"currency": "BTC", "address": "x", "amount": 1})
    refused_here("transfer", "TG202", "PermissionDenied", ex.privateGetSubmitTransferToSubaccount,
                 {"currency": "BTC", "amount": 1, "destination": 1})
    refused_here("sent again", "TG105", "AuthenticationError", target.sent_twice, ex, "buy", "private", "GET", {
        "instrument_name": "BTC-PERPETUAL", "amount": 100, "type": "limit", "price": away(0.99), "label": "sent-again"})
    check([o["info"]["label"] for o in ex.fetch_open_orders(SYMBOL)] == ["sent-again"], "it took effect once")
    ex.cancel_all_orders(SYMBOL)
    refused_here("halted", "TG509", "PermissionDenied", as_caller("halted").create_order, *limit)
    refused_here("instrument not granted", "TG302", "PermissionDenied", as_caller("narrow").create_order, *limit)
    refused_here("type not granted", "TG304", "PermissionDenied", as_caller("narrow").create_order,
                 "ETH/USD:ETH", "market", "buy", 10)
    refused_here("only reading", "TG301", "PermissionDenied", as_caller("reader").create_order, *limit)
    check(as_caller("reader").fetch_balance()["BTC"]["total"] > 0, "who may only read may read")
    slow = as_caller("slow")
    refused_here("too fast", "TG401", "DDoSProtection", lambda: [slow.create_order(*limit) for _ in range(3)])
    slow.cancel_all_orders(SYMBOL)
    refused_here("revoked", "TG102", "AuthenticationError", as_caller("revoked").fetch_open_orders, SYMBOL)
done()
