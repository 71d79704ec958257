"""ccxt.pro (Python, WebSocket) on Deribit: books, tickers, own orders and trades."""

import asyncio

import ccxt.pro
import target
from scenario import check, done, step

SYMBOL = "BTC/USD:BTC"


async def main():
    ex = target.deribit(ccxt.pro)
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
        placed = await ex.create_order(SYMBOL, "limit", "buy", 100, price, {"label": "ws-1"})
        seen = await asyncio.wait_for(watching, 20)
        check(seen[-1]["info"]["label"] == "ws-1", "the stream tells the caller's own label")
        step("watched", {k: seen[-1][k] for k in ("status", "amount", "type", "side")})
        cancelled = await ex.cancel_order(placed["id"], SYMBOL)
        step("cancelled", cancelled["status"])
        await ex.create_order(SYMBOL, "market", "buy", 100)
        seen = await asyncio.wait_for(trades, 20)
        check(sum(t["amount"] for t in seen) == 100, "the stream tells the trade")
        step("own trade", {k: seen[-1][k] for k in ("side", "takerOrMaker", "symbol")})
        await ex.create_order(SYMBOL, "market", "sell", 100, None, {"reduce_only": True})
        done()
    finally:
        await ex.close()


asyncio.run(main())
