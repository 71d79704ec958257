"""A stock client in a process of its own, whose memory and wire `scan.py` looks through: it opens a
session, trades, prints one line, and stays until its standard input ends.

Every byte that comes out of TLS is kept in the file named by `WIRE`: the recorder sits below the
client, in Python's own `ssl` module."""

import asyncio
import os
import ssl
import sys

WIRE = open(os.environ["WIRE"], "wb", buffering=0)


def recording(read):
    def recorded(self, len=1024, buffer=None):
        value = read(self, len, buffer)
        WIRE.write(value if buffer is None else bytes(buffer[:value]))
        return value
    return recorded


ssl.SSLSocket.read = recording(ssl.SSLSocket.read)
ssl.SSLObject.read = recording(ssl.SSLObject.read)

import ccxt  # noqa: E402 - what it imports must meet the recorder
import ccxt.pro  # noqa: E402
import target  # noqa: E402
from scenario import TARGET  # noqa: E402

VENUES = {
    "binance": (target.binance, "BTC/USDT:USDT", 0.01),
    "deribit": (target.deribit, "BTC/USD:BTC", 100),
}


def trade(exchange, symbol, amount):
    """Everything that brings a private answer."""
    exchange.load_markets()
    exchange.fetch_balance()
    book = exchange.fetch_order_book(symbol, 5)
    price = float(exchange.price_to_precision(symbol, book["bids"][0][0] * 0.99))
    order = exchange.create_order(symbol, "limit", "buy", amount, price)
    exchange.fetch_open_orders(symbol)
    exchange.cancel_order(order["id"], symbol)
    exchange.create_order(symbol, "market", "buy", amount)
    exchange.create_order(symbol, "market", "sell", amount)
    exchange.fetch_my_trades(symbol)
    exchange.fetch_positions([symbol])
    try:
        exchange.cancel_order(order["id"], symbol)
    except ccxt.ExchangeError:
        pass


async def hold(make, symbol, amount):
    exchange = make(ccxt.pro)
    watching = asyncio.create_task(exchange.watch_orders(symbol))
    await asyncio.sleep(2)
    await asyncio.to_thread(trade, make(ccxt), symbol, amount)
    await asyncio.wait_for(watching, 20)
    print("holding", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await exchange.close()


asyncio.run(hold(*VENUES[TARGET["venue"]]))
