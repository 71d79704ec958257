"""Binance's own SDK (REST): its models check every answer's types; orders, algo orders, refusals."""

import target
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import (
    ModifyOrderSideEnum,
    NewAlgoOrderSideEnum,
    NewOrderNewOrderRespTypeEnum,
    NewOrderReduceOnlyEnum,
    NewOrderSideEnum,
    NewOrderTimeInForceEnum,
)
from scenario import THROUGH_TIDEGATE, check, done, refused, refused_here, step, until

SYMBOL = "BTCUSDT"
api = target.sdk().rest_api
api.cancel_all_open_orders(SYMBOL)

info = next(s for s in api.exchange_information().data().symbols if s.symbol == SYMBOL)
step("market", {"contract": info.contract_type, "status": info.status, "filters": len(info.filters)})
check(any(float(b.balance) > 0 for b in api.futures_account_balance_v3().data()), "the account is funded")
book = api.order_book(SYMBOL, 20).data()
check(float(book.bids[0][0]) < float(book.asks[0][0]), "the book is not crossed")
mid = (float(book.bids[0][0]) + float(book.asks[0][0])) / 2
BUY, SELL = NewOrderSideEnum["BUY"].value, NewOrderSideEnum["SELL"].value
GTC, GTX = NewOrderTimeInForceEnum["GTC"].value, NewOrderTimeInForceEnum["GTX"].value
RESULT = NewOrderNewOrderRespTypeEnum["RESULT"].value


def away(share):
    return round(mid * share, 1)


def limit(api, share, quantity=0.01, time_in_force=GTC, **more):
    return api.new_order(symbol=SYMBOL, side=BUY, type="LIMIT", time_in_force=time_in_force, quantity=quantity,
                         price=away(share), **more).data()


def brief(order):
    names = ("symbol", "status", "client_order_id", "orig_qty", "executed_qty", "time_in_force", "type",
             "side", "reduce_only", "position_side", "orig_type")
    return {k: getattr(order, k) for k in names}


order = limit(api, 0.99, new_client_order_id="sdk:1/a")
step("limit", brief(order))
seen = api.query_order(SYMBOL, orig_client_order_id="sdk:1/a").data()
check(seen.order_id == order.order_id, "the order is found by the caller's own id")
step("limit seen", brief(seen))
check([o.order_id for o in api.current_all_open_orders(SYMBOL).data()] == [order.order_id], "it is the only one")
amended = api.modify_order(SYMBOL, ModifyOrderSideEnum["BUY"].value, 0.02, away(0.985), order_id=order.order_id).data()
check(float(amended.orig_qty) == 0.02, "the amend took")
step("amended", brief(amended))
step("cancelled", brief(api.cancel_order(SYMBOL, order_id=order.order_id).data()))
refused("cancel again", api.cancel_order, SYMBOL, order_id=order.order_id)
step("post-only", brief(limit(api, 0.99, time_in_force=GTX, new_client_order_id="po")))
refused("post-only that would take", limit, api, 1.005, time_in_force=GTX)
step("cancelled all", api.cancel_all_open_orders(SYMBOL).data().code)
until("nothing open", lambda: api.current_all_open_orders(SYMBOL).data() == [])

limit(api, 0.98, new_client_order_id="watched")
armed = api.auto_cancel_all_open_orders(SYMBOL, 1000).data()
step("dead-man timer", [armed.symbol, armed.countdown_time])
until("the timer lapsed", lambda: api.current_all_open_orders(SYMBOL).data() == [])
off = api.auto_cancel_all_open_orders(SYMBOL, 0).data()
step("dead-man timer off", [off.symbol, off.countdown_time])

bought = api.new_order(symbol=SYMBOL, side=BUY, type="MARKET", quantity=0.02, new_order_resp_type=RESULT,
                       new_client_order_id="sdk-market").data()
bought = until("filled", lambda: (o := api.query_order(SYMBOL, order_id=bought.order_id).data()).status == "FILLED" and o)
step("market", brief(bought))
position = next(p for p in api.position_information_v3(SYMBOL).data() if float(p.position_amt))
check(float(position.position_amt) == 0.02, "the position is there")
trades = until("trades", lambda: [t for t in api.account_trade_list(SYMBOL).data() if t.order_id == bought.order_id])
check(abs(sum(float(t.qty) for t in trades) - 0.02) < 1e-9, "the trades add up")
stop = api.new_algo_order(algo_type="CONDITIONAL", symbol=SYMBOL, side=NewAlgoOrderSideEnum["SELL"].value,
                          type="STOP_MARKET", quantity=0.02, trigger_price=away(0.97), client_algo_id="sdk-stop").data()
step("stop", {k: getattr(stop, k) for k in ("client_algo_id", "algo_type", "order_type", "side", "algo_status")})
check([o.algo_id for o in api.current_all_algo_open_orders().data()] == [stop.algo_id], "the stop waits")
step("stop cancelled", api.cancel_algo_order(algo_id=stop.algo_id).data().code)
sold = api.new_order(symbol=SYMBOL, side=SELL, type="MARKET", quantity=0.02, new_order_resp_type=RESULT,
                     reduce_only=NewOrderReduceOnlyEnum["TRUE"].value, new_client_order_id="sdk-close").data()
step("reduce-only", brief(sold))
until("flat", lambda: not any(float(p.position_amt) for p in api.position_information_v3(SYMBOL).data()))

refused("no such order", api.cancel_order, SYMBOL, order_id=1)
refused("no such instrument", api.new_order, symbol="NOPEUSDT", side=BUY, type="MARKET", quantity=1)
refused("off the lot", limit, api, 0.99, quantity=0.01003)
refused("wrong secret", target.sdk(api_secret="0" * 64).rest_api.futures_account_balance_v3)
refused("wrong key", target.sdk(api_key="0" * 64).rest_api.futures_account_balance_v3)

if THROUGH_TIDEGATE:
    refused_here("too large", "TG502", "BadRequestError", limit, api, 0.999, quantity=900)
    refused_here("far from the mark", "TG503", "BadRequestError", limit, api, 1.5)
    refused_here("halted", "TG509", "BadRequestError", limit, target.sdk("halted").rest_api, 0.99)
    refused_here("instrument not granted", "TG302", "BadRequestError", limit, target.sdk("narrow").rest_api, 0.99)
    slow = target.sdk("slow").rest_api
    refused_here("too fast", "TG401", "TooManyRequestsError", lambda: [limit(slow, 0.99) for _ in range(3)])
    slow.cancel_all_open_orders(SYMBOL)
    refused_here("revoked", None, "UnauthorizedError", target.sdk("revoked").rest_api.futures_account_balance_v3)
done()
