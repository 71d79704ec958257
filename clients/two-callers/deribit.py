"""Two callers with keys of one account on Deribit, with stock ccxt: each sees, streams and cancels
its own orders only, unless its grant says account-wide."""

import asyncio

import ccxt.pro
import target
from scenario import check, done, refused_soon, soon, step

SYMBOL = "BTC/USD:BTC"


async def heard(exchange, seen):
    """Keeps what the caller's stream tells."""
    while True:
        for order in await exchange.watch_orders(SYMBOL):
            seen.append((order["id"], order["info"]["label"], order["status"]))


async def open_ids(exchange):
    return {order["id"] for order in await exchange.fetch_open_orders(SYMBOL)}


async def main():
    first, second, wide = (target.deribit(ccxt.pro, caller) for caller in (None, "second", "wide"))
    watching = []
    try:
        await first.load_markets()
        for other in (second, wide):
            other.set_markets(first.markets)
        for exchange in (first, second):
            await exchange.cancel_all_orders(SYMBOL)
        book = await first.fetch_order_book(SYMBOL, 5)
        price = float(first.price_to_precision(SYMBOL, (book["bids"][0][0] + book["asks"][0][0]) / 2 * 0.99))
        told = {first: [], second: []}
        watching = [asyncio.create_task(heard(exchange, seen)) for exchange, seen in told.items()]
        await asyncio.sleep(2)

        mine = await first.create_order(SYMBOL, "limit", "buy", 100, price, {"label": "same"})
        theirs = await second.create_order(SYMBOL, "limit", "buy", 200, price, {"label": "same"})
        check(await open_ids(first) == {mine["id"]}, "the first sees its own order only")
        check(await open_ids(second) == {theirs["id"]}, "the second sees its own order only")
        check({mine["id"], theirs["id"]} <= await open_ids(wide), "who may see the account sees both")
        await refused_soon("cancel another's", second.cancel_order(mine["id"], SYMBOL))
        await refused_soon("see another's", second.fetch_order(mine["id"], SYMBOL))
        await refused_soon("amend another's", second.edit_order(mine["id"], SYMBOL, "limit", "buy", 300, price))
        count = await second.privateGetCancelByLabel({"label": "same"})
        check(int(count["result"]) == 1, "a label is each caller's own")

        async def second_has_none():
            return await open_ids(second) == set()

        await soon("the second's are gone", second_has_none)
        await second.cancel_all_orders(SYMBOL)
        check(await open_ids(first) == {mine["id"]}, "the first one's order stays")
        await asyncio.sleep(1)
        check({id for id, _, _ in told[first]} == {mine["id"]}, f"the first's stream: {told[first]}")
        check({id for id, _, _ in told[second]} == {theirs["id"]}, f"the second's stream: {told[second]}")

        taken = await second.create_order(SYMBOL, "market", "buy", 100)

        async def trades_of(exchange):
            return [t for t in await exchange.fetch_my_trades(SYMBOL) if t["order"] == taken["id"]]

        async def second_has_fill():
            return await trades_of(second)

        await soon("the fill", second_has_fill)
        check(await trades_of(first) == [], "the fill is not the first one's")
        await second.create_order(SYMBOL, "market", "sell", 100, None, {"reduce_only": True})
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
