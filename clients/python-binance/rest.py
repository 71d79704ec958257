"""python-binance (REST): the futures calls, every kind of order, refusals."""

import time

import binance
import target
from scenario import THROUGH_TIDEGATE, check, done, fields, key_of, refused, refused_here, step, until

SYMBOL = "BTCUSDT"


def as_caller(caller=None):
    key = key_of(caller)
    return target.pointed(binance.Client)(key["key"], key["secret"])


client = as_caller()
client.futures_cancel_all_open_orders(symbol=SYMBOL)
info = next(s for s in client.futures_exchange_info()["symbols"] if s["symbol"] == SYMBOL)
step("market", {k: info[k] for k in ("contractType", "status", "pricePrecision", "quantityPrecision", "filters")})
tick = float(next(f["tickSize"] for f in info["filters"] if f["filterType"] == "PRICE_FILTER"))
check(any(float(b["balance"]) > 0 for b in client.futures_account_balance()), "the account is funded")
book = client.futures_order_book(symbol=SYMBOL, limit=20)
check(float(book["bids"][0][0]) < float(book["asks"][0][0]), "the book is not crossed")
step("ticker", fields(client.futures_ticker(symbol=SYMBOL)))
step("book", fields(book))
step("account", fields(client.futures_account()))
mid = (float(book["bids"][0][0]) + float(book["asks"][0][0])) / 2
ORDER = ("symbol", "status", "clientOrderId", "origQty", "executedQty", "timeInForce", "type", "side",
         "reduceOnly", "closePosition", "positionSide", "workingType", "origType", "priceMatch")


def away(share):
    return f"{round(mid * share / tick) * tick:.1f}"


def limit(share, **more):
    return {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010",
            "price": away(share), **more}


def brief(order):
    return {k: order[k] for k in ORDER}


# An id with characters that the client signs as they are and sends percent-encoded.
order = client.futures_create_order(**limit(0.99, newClientOrderId="a:b/c.d-1"))
step("limit", brief(order))
step("limit fields", fields(order))
seen = client.futures_get_order(symbol=SYMBOL, orderId=order["orderId"])
check(seen["clientOrderId"] == "a:b/c.d-1" and seen["status"] == "NEW", "the order is found by id")
step("limit seen fields", fields(seen))
seen = client.futures_get_order(symbol=SYMBOL, origClientOrderId="a:b/c.d-1")
check(seen["orderId"] == order["orderId"], "the order is found by the caller's own id")
check([o["orderId"] for o in client.futures_get_open_orders(symbol=SYMBOL)] == [order["orderId"]], "it is the only one")
amended = client.futures_modify_order(symbol=SYMBOL, side="BUY", orderId=order["orderId"], quantity="0.020",
                                      price=away(0.985))
check(amended["origQty"] == "0.020", "the amend took")
step("amended", brief(amended))
step("amended fields", fields(amended))
step("cancelled", brief(client.futures_cancel_order(symbol=SYMBOL, origClientOrderId="a:b/c.d-1")))
refused("cancel again", client.futures_cancel_order, symbol=SYMBOL, orderId=order["orderId"])
step("post-only", brief(client.futures_create_order(**limit(0.99, timeInForce="GTX", newClientOrderId="po"))))
refused("post-only that would take", client.futures_create_order, **limit(1.005, timeInForce="GTX"))
batch = client.futures_place_batch_order(batchOrders=[
    limit(0.98, newClientOrderId="leg-1"), limit(0.98, newClientOrderId="leg-2", quantity="0.01003")])
step("batch with a bad leg", [brief(batch[0]), batch[1]["code"]])
check({o["clientOrderId"] for o in client.futures_get_open_orders(symbol=SYMBOL)} == {"po", "leg-1"}, "two are open")
step("cancelled all", client.futures_cancel_all_open_orders(symbol=SYMBOL))
until("nothing open", lambda: client.futures_get_open_orders(symbol=SYMBOL) == [])

client.futures_create_order(**limit(0.98, newClientOrderId="watched"))
countdown = client.futures_countdown_cancel_all
step("dead-man timer", countdown(symbol=SYMBOL, countdownTime=1500))
time.sleep(1)
step("dead-man timer fed", countdown(symbol=SYMBOL, countdownTime=1500))
time.sleep(1)
check(len(client.futures_get_open_orders(symbol=SYMBOL)) == 1, "a timer that is fed does not lapse")
until("the timer lapsed", lambda: client.futures_get_open_orders(symbol=SYMBOL) == [])
step("lapsed", brief(client.futures_get_order(symbol=SYMBOL, origClientOrderId="watched")))
step("dead-man timer off", countdown(symbol=SYMBOL, countdownTime=0))
refused("dead-man timer of nothing", countdown, symbol="NOPEUSDT", countdownTime=1000)
refused("dead-man timer without a time", countdown, symbol=SYMBOL)

bought = client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.020",
                                     newOrderRespType="RESULT", newClientOrderId="market")
bought = until("filled", lambda: (o := client.futures_get_order(symbol=SYMBOL, orderId=bought["orderId"]))[
    "status"] == "FILLED" and o)
step("market", brief(bought))
position = next(p for p in client.futures_position_information(symbol=SYMBOL) if float(p["positionAmt"]))
check(position["positionAmt"] == "0.020", "the position is there")
step("position", fields(position))
trades = until("trades", lambda: [t for t in client.futures_account_trades(symbol=SYMBOL)
                                  if t["orderId"] == bought["orderId"]])
check(abs(sum(float(t["qty"]) for t in trades) - 0.02) < 1e-9, "the trades add up")
step("trade", fields(trades[0]))
stop = client.futures_create_order(symbol=SYMBOL, side="SELL", type="STOP_MARKET", quantity="0.020",
                                   triggerPrice=away(0.97), clientAlgoId="stop")
step("stop", {k: stop[k] for k in ("clientAlgoId", "algoType", "orderType", "side", "quantity", "algoStatus")})
step("stop fields", fields(stop))
step("stop cancelled", client.futures_cancel_algo_order(algoId=stop["algoId"])["msg"])
sold = client.futures_create_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.020", reduceOnly="true",
                                   newOrderRespType="RESULT", newClientOrderId="close")
step("reduce-only", brief(sold))
until("flat", lambda: not any(float(p["positionAmt"]) for p in client.futures_position_information(symbol=SYMBOL)))
step("leverage", client.futures_change_leverage(symbol=SYMBOL, leverage=10)["leverage"])
step("leverage back", client.futures_change_leverage(symbol=SYMBOL, leverage=20)["leverage"])

refused("no such order", client.futures_cancel_order, symbol=SYMBOL, orderId=1)
refused("no such instrument", client.futures_create_order, **limit(0.99, symbol="NOPEUSDT"))
refused("off the lot", client.futures_create_order, **limit(0.99, quantity="0.01003"))
refused("no price", client.futures_create_order, symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC",
        quantity="0.01")
bad = target.pointed(binance.Client)(key_of()["key"], "0" * 64)
refused("wrong secret", bad.futures_account_balance)
late = as_caller()
late.timestamp_offset = -120_000
refused("too late", late.futures_account_balance)

if THROUGH_TIDEGATE:
    refused_here("too large", "TG502", "BinanceAPIException", client.futures_create_order, **limit(0.999, quantity="900"))
    refused_here("far from the mark", "TG503", "BinanceAPIException", client.futures_create_order, **limit(1.5))
    refused_here("withdraw", "TG202", "BinanceAPIException", client.withdraw, coin="USDT", address="x", amount=1)
    refused_here("halted", "TG509", "BinanceAPIException", as_caller("halted").futures_create_order, **limit(0.99))
    refused_here("not granted", "TG302", "BinanceAPIException", as_caller("narrow").futures_create_order, **limit(0.99))
    refused_here("revoked", None, "BinanceAPIException", as_caller("revoked").futures_account_balance)
done()
