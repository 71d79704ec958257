"""Binance's own SDK (WebSocket API and streams): orders over the socket, books, marks, own orders."""

import asyncio

import target
from binance_sdk_derivatives_trading_usds_futures.websocket_api.models import (
    ModifyOrderSideEnum,
    NewOrderSideEnum,
    NewOrderTimeInForceEnum,
)
from scenario import THROUGH_TIDEGATE, check, done, refused_here_soon, refused_soon, step

SYMBOL = "ETHUSDT"
BUY, SELL = NewOrderSideEnum["BUY"].value, NewOrderSideEnum["SELL"].value
GTC = NewOrderTimeInForceEnum["GTC"].value


async def next_of(events, wanted, seconds=20):
    """The next event that is wanted."""
    async with asyncio.timeout(seconds):
        while True:
            event = await events.get()
            if wanted(event):
                return event


async def heard(subscription):
    """A queue of what a subscription brings."""
    events = asyncio.Queue()
    (await subscription).on("message", events.put_nowait)
    return events


class Told(Exception):
    """A refusal. The SDK raises none of its own: it answers a dictionary with the error."""


async def answered(call):
    """What a call over the WebSocket API brought."""
    answer = (await call).data()
    if isinstance(answer, dict) and "error" in answer:
        raise Told(str(answer["error"]).replace("'", '"'))
    return answer.result


def own(event):
    """The order in an event of the user stream, if it is one."""
    event = getattr(event, "actual_instance", event)
    return event.o if type(event).__name__ == "OrderTradeUpdate" else None


async def main():
    sdk = target.sdk()
    streams, api = sdk.websocket_streams, sdk.websocket_api
    await streams.create_connection()
    await api.create_connection()
    try:
        books = await heard(streams.diff_book_depth_streams(SYMBOL.lower()))
        first = await next_of(books, lambda e: True)
        second = await next_of(books, lambda e: e.U > first.U)
        check(second.pu >= first.u, "the changes follow each other")
        step("book", [first.e, first.s])
        mark = await next_of(await heard(streams.mark_price_stream(SYMBOL.lower())), lambda e: True)
        step("mark", [mark.e, mark.s])
        # The SDK's own model of this answer leaves the levels among what it does not name.
        book = (await api.order_book(SYMBOL, limit=5)).data().result.additional_properties
        bid, ask = float(book["bids"][0][0]), float(book["asks"][0][0])
        check(bid < ask, "the book is not crossed")
        mid = (bid + ask) / 2
        key = sdk.rest_api.start_user_data_stream().data().listen_key
        events = await heard(streams.user_data(key))
        await asyncio.sleep(1)

        async def limit(api, share=0.99, quantity=0.5, **more):
            return await answered(api.new_order(symbol=SYMBOL, side=BUY, type="LIMIT", time_in_force=GTC,
                                                quantity=quantity, price=round(mid * share, 1), **more))

        placed = await limit(api, new_client_order_id="sdk-ws-1")
        check(placed.client_order_id == "sdk-ws-1", "the caller's own id comes back")
        seen = await next_of(events, lambda e: (o := own(e)) and o.i == placed.order_id)
        check(own(seen).c == "sdk-ws-1", "the stream tells the caller's own id")
        step("own order", {"type": own(seen).o, "what": own(seen).x, "status": own(seen).X, "id": own(seen).c})
        amended = await answered(api.modify_order(SYMBOL, ModifyOrderSideEnum["BUY"].value, 0.7,
                                                  round(mid * 0.985, 1), order_id=placed.order_id))
        check(float(amended.orig_qty) == 0.7, "the amend took")
        status = await answered(api.query_order(SYMBOL, order_id=placed.order_id))
        step("status", [status.status, status.client_order_id, status.orig_qty])
        cancelled = await answered(api.cancel_order(SYMBOL, order_id=placed.order_id))
        step("cancelled", [cancelled.status, cancelled.client_order_id])
        await refused_soon("cancel again", answered(api.cancel_order(SYMBOL, order_id=placed.order_id)))
        await next_of(events, lambda e: (o := own(e)) and o.X == "CANCELED")
        await answered(api.new_order(symbol=SYMBOL, side=BUY, type="MARKET", quantity=0.5))
        trade = await next_of(events, lambda e: (o := own(e)) and o.x == "TRADE")
        step("own trade", [own(trade).s, own(trade).S, own(trade).o])
        positions = await answered(api.position_information_v2())
        check(any(p.symbol == SYMBOL and float(p.position_amt) == 0.5 for p in positions), "the position is there")
        await answered(api.new_order(symbol=SYMBOL, side=SELL, type="MARKET", quantity=0.5, reduce_only="true"))
        await refused_soon("off the lot", limit(api, quantity=0.50003))
        if THROUGH_TIDEGATE:
            await refused_here_soon("too large", "TG502", "Told", limit(api, 0.999, quantity=9_000))
            await refused_here_soon("far from the mark", "TG503", "Told", limit(api, 1.5))
            halted = target.sdk("halted").websocket_api
            await halted.create_connection()
            await refused_here_soon("halted", "TG509", "Told", limit(halted))
            await halted.close_connection()
        done()
    finally:
        await api.close_connection()
        await streams.close_connection()


asyncio.run(main())
