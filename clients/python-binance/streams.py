"""python-binance (asyncio): socket manager for books, marks and own orders; orders over the
WebSocket API."""

import asyncio

import binance
import target
from scenario import check, done, fields, key_of, refused_soon, step

SYMBOL = "ETHUSDT"


async def next_of(socket, wanted, seconds=20):
    """The next event of a kind."""
    async with asyncio.timeout(seconds):
        while True:
            event = await socket.recv()
            event = event.get("data", event)
            check(event.get("e") != "error", f"the socket stayed: {event}")
            if wanted(event):
                return event


async def main():
    key = key_of()
    client = await target.pointed(binance.AsyncClient).create(key["key"], key["secret"])
    sockets = target.manager(binance)(client)
    try:
        async with sockets.futures_depth_socket(SYMBOL.lower(), depth="20") as books:
            event = await next_of(books, lambda e: e.get("e") == "depthUpdate")
            check(float(event["b"][0][0]) < float(event["a"][0][0]), "the book is not crossed")
            step("book", fields(event))
        mid = float((await client.futures_mark_price(symbol=SYMBOL))["markPrice"])
        async with sockets.futures_multiplex_socket([f"{SYMBOL.lower()}@markPrice@1s"]) as marks:
            event = await next_of(marks, lambda e: e.get("e") == "markPriceUpdate")
            step("mark", fields(event))
        async with sockets.futures_user_socket() as own:
            placed = await client.futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.500",
                price=f"{mid * 0.99:.1f}", newClientOrderId="pyb-1")
            event = await next_of(own, lambda e: e.get("e") == "ORDER_TRADE_UPDATE" and e["o"]["i"] == placed["orderId"])
            check(event["o"]["c"] == "pyb-1" and event["o"]["x"] == "NEW", "the stream tells the caller's own id")
            step("own order", {k: event["o"][k] for k in ("s", "c", "S", "o", "f", "q", "x", "X", "z", "m", "R", "ps")})
            step("own order fields", fields(event))
            await client.futures_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
            event = await next_of(own, lambda e: e.get("e") == "ORDER_TRADE_UPDATE" and e["o"]["X"] == "CANCELED")
            step("own cancel", {k: event["o"][k] for k in ("c", "x", "X")})
            placed = await client.ws_futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.500",
                price=f"{mid * 0.99:.1f}", newClientOrderId="pyb-2")
            check(placed["clientOrderId"] == "pyb-2", "the caller's own id comes back over the socket")
            event = await next_of(own, lambda e: e.get("e") == "ORDER_TRADE_UPDATE" and e["o"]["i"] == placed["orderId"])
            check(event["o"]["c"] == "pyb-2", "the stream tells the caller's own id")
            cancelled = await client.ws_futures_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
            step("over the socket", [placed["status"], cancelled["status"]])
            await refused_soon("cancel again", client.ws_futures_cancel_order(symbol=SYMBOL, orderId=placed["orderId"]))
            await client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.500")
            event = await next_of(own, lambda e: e.get("e") == "ORDER_TRADE_UPDATE" and e["o"]["x"] == "TRADE")
            step("own trade", {k: event["o"][k] for k in ("s", "S", "o", "x", "m")})
            step("own trade fields", fields(event))
            event = await next_of(own, lambda e: e.get("e") == "ACCOUNT_UPDATE")
            check(event["a"]["m"] == "ORDER", "the position's change is told")
            step("account fields", fields(event))
            await client.futures_create_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.500",
                                              reduceOnly="true")
        done()
    finally:
        await client.close_connection()


asyncio.run(main())
