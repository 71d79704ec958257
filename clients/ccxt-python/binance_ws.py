"""ccxt.pro (Python, WebSocket) on USDⓈ-M futures: books, tickers, own orders and trades, and order
entry over the socket."""

import asyncio

import ccxt.pro
import target
from scenario import check, done, step

SYMBOL = "BTC/USDT:USDT"


async def main():
    ex = target.binance(ccxt.pro)
    try:
        await ex.load_markets()
        for _ in range(5):
            book = await asyncio.wait_for(ex.watch_order_book(SYMBOL), 20)
            check(book["bids"][0][0] < book["asks"][0][0], "the book is not crossed")
        step("book", True)
        ticker = await asyncio.wait_for(ex.watch_ticker(SYMBOL), 20)
        step("ticker", sorted(k for k, v in ticker.items() if v is not None))
        mid = (book["bids"][0][0] + book["asks"][0][0]) / 2
        price = float(ex.price_to_precision(SYMBOL, mid * 0.99))
        watching = asyncio.create_task(ex.watch_orders(SYMBOL))
        trades = asyncio.create_task(ex.watch_my_trades(SYMBOL))
        await asyncio.sleep(2)
        placed = await ex.create_order_ws(SYMBOL, "limit", "buy", 0.01, price, {"newClientOrderId": "ws-1"})
        step("placed over the socket", {k: placed[k] for k in ("status", "amount", "clientOrderId", "type")})
        seen = await asyncio.wait_for(watching, 20)
        check(seen[-1]["clientOrderId"] == "ws-1", "the stream tells the caller's own id")
        step("watched", {k: seen[-1][k] for k in ("status", "amount", "clientOrderId", "type")})
        cancelled = await ex.cancel_order_ws(placed["id"], SYMBOL)
        step("cancelled over the socket", {k: cancelled[k] for k in ("status", "clientOrderId")})
        await ex.create_order_ws(SYMBOL, "market", "buy", 0.01)
        seen = await asyncio.wait_for(trades, 20)
        check(abs(sum(t["amount"] for t in seen) - 0.01) < 1e-9, "the stream tells the trade")
        step("own trade", {k: seen[-1][k] for k in ("side", "type", "takerOrMaker", "symbol")})
        await ex.create_order_ws(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
        done()
    finally:
        await ex.close()


asyncio.run(main())
