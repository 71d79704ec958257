"""Two callers with keys of one account on USDⓈ-M futures, with stock ccxt: each sees, streams and
cancels its own orders only, unless its grant says account-wide."""

import asyncio

import ccxt.pro
import target
from scenario import check, done, refused_soon, soon, step

SYMBOL = "BTC/USDT:USDT"


async def open_ids(exchange):
    return {order["clientOrderId"] for order in await exchange.fetch_open_orders(SYMBOL)}


async def heard(exchange, seen):
    """Keeps what the caller's stream tells."""
    while True:
        for order in await exchange.watch_orders(SYMBOL):
            seen.append((order["clientOrderId"], order["status"]))


async def main():
    first, second, wide = (target.binance(ccxt.pro, caller) for caller in (None, "second", "wide"))
    watching = []
    try:
        await first.load_markets()
        for other in (second, wide):
            other.set_markets(first.markets)
        for exchange in (first, second):
            await exchange.cancel_all_orders(SYMBOL)
        book = await first.fetch_order_book(SYMBOL, 5)
        mid = (book["bids"][0][0] + book["asks"][0][0]) / 2
        price = float(first.price_to_precision(SYMBOL, mid * 0.99))
        told = {first: [], second: []}
        watching = [asyncio.create_task(heard(exchange, seen)) for exchange, seen in told.items()]
        await asyncio.sleep(2)

        # Both may use the same id: ids are each caller's own.
        mine = await first.create_order(SYMBOL, "limit", "buy", 0.01, price, {"newClientOrderId": "same"})
        theirs = await second.create_order(SYMBOL, "limit", "buy", 0.02, price, {"newClientOrderId": "same"})
        check(mine["id"] != theirs["id"], "they are two orders")
        own = await second.fetch_open_orders(SYMBOL)
        check([(o["id"], o["amount"]) for o in own] == [(theirs["id"], 0.02)], "the second sees its own order only")
        own = await first.fetch_open_orders(SYMBOL)
        check([(o["id"], o["amount"]) for o in own] == [(mine["id"], 0.01)], "the first sees its own order only")
        alone = await first.create_order(SYMBOL, "limit", "buy", 0.01, price, {"newClientOrderId": "first-alone"})
        ids = {order["id"] for order in await wide.fetch_open_orders(SYMBOL)}
        check({mine["id"], theirs["id"], alone["id"]} <= ids, "who may see the account sees all three")

        await refused_soon("cancel another's", second.cancel_order(alone["id"], SYMBOL))
        await refused_soon("cancel another's by its id", second.cancel_order(
            None, SYMBOL, {"origClientOrderId": "first-alone"}))
        await refused_soon("see another's", second.fetch_order(alone["id"], SYMBOL))
        await refused_soon("amend another's", second.edit_order(alone["id"], SYMBOL, "limit", "buy", 0.02, price))
        await second.cancel_all_orders(SYMBOL)

        async def second_has_none():
            return await open_ids(second) == set()

        await soon("the second's are gone", second_has_none)
        check(await open_ids(first) == {"same", "first-alone"}, "the first one's orders stay")
        await asyncio.sleep(1)
        check({id for id, _ in told[first]} == {"same", "first-alone"}, f"the first's stream: {told[first]}")
        check({id for id, _ in told[second]} == {"same"}, f"the second's stream: {told[second]}")
        check(("same", "canceled") in told[second], "the second heard of its cancel")
        check(("same", "canceled") not in told[first], "the first heard of no cancel")

        # A dead-man timer is each caller's own.
        theirs = await second.create_order(SYMBOL, "limit", "buy", 0.02, price)
        market = first.market(SYMBOL)["id"]
        armed = await second.fapiPrivatePostCountdownCancelAll({"symbol": market, "countdownTime": 1000})
        check(armed == {"symbol": market, "countdownTime": "1000"}, f"the venue's own answer: {armed}")
        await soon("the second's timer lapsed", second_has_none)
        check(await open_ids(first) == {"same", "first-alone"}, "the first one's orders stay")

        # A fill is its caller's; the position is the account's.
        taken = await second.create_order(SYMBOL, "market", "buy", 0.01)

        async def trades_of(exchange):
            return [t for t in await exchange.fetch_my_trades(SYMBOL) if t["order"] == taken["id"]]

        async def second_has_fill():
            return await trades_of(second)

        await soon("the fill", second_has_fill)
        check(await trades_of(first) == [], "the fill is not the first one's")
        held = [p for p in await first.fetch_positions([SYMBOL]) if p["contracts"]]
        check(len(held) == 1, "the position is the account's")
        await second.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
        await first.cancel_all_orders(SYMBOL)
        step("apart", True)
        done()
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        for exchange in (first, second, wide):
            await exchange.close()


asyncio.run(main())
