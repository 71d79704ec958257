"""typed_deribit (WebSocket, and one pass over HTTP): it checks every answer and notification
against its own schemas; orders of every kind, own orders and trades, an option, refusals."""

import asyncio

from scenario import TARGET, THROUGH_TIDEGATE, check, done, fields, key_of, refused_here_soon, refused_soon, soon, step
from typed_core.http import HttpClient
from typed_deribit import Deribit
from typed_deribit.core.auth import Credentials
from typed_deribit.core.transport.http import HmacHttpRpcClient, OAuthHttpRpcClient
from typed_deribit.core.transport.ws import SocketRpcStreamClient

PERPETUAL = "BTC-PERPETUAL"
WS = {"transport": "ws"}
# The venue gives a new account five orders a second, twenty at once.
PAUSE_S = 3


def client(caller=None, http=OAuthHttpRpcClient, secret=None):
    """The stock client with the target's addresses."""
    key = key_of(caller)
    credentials = Credentials(key["key"], secret or key["secret"])
    return Deribit(
        rpc_client=http(http=HttpClient(), base_url=TARGET["rest"] + "/api/v2", credentials=credentials),
        ws_client=SocketRpcStreamClient.new(TARGET["ws"] + "/ws/api/v2", credentials=credentials,
                                            heartbeat_interval=10),
    )


async def next_of(stream, wanted, seconds=20):
    """The next notification that is wanted."""
    async with asyncio.timeout(seconds):
        async for event in stream:
            if wanted(event):
                return event


def brief(order):
    names = ("order_state", "order_type", "direction", "amount", "filled_amount", "time_in_force", "post_only",
             "reduce_only", "instrument_name", "label")
    return {name: order.get(name) for name in names}


async def placed_by(ex, price, label):
    """An order that rests; its id."""
    order = {"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "price": price, "label": label}
    return (await ex.trading.buy(order, **WS))["order"]["order_id"]


async def open_ids(ex):
    return {order["order_id"] for order in await ex.trading.get_open_orders(**WS)}


async def cancelled_on_disconnect(ex, price):
    """What a connection placed goes with it, if it asked for that; what others placed stays."""
    kept = await placed_by(ex, price, "kept")

    async def only(*ids):
        return await open_ids(ex) == set(ids)

    async with client() as other:
        before = await placed_by(other, price, "before")
        check(await other.session.enable_cancel_on_disconnect(**WS) == "ok", "it is taken")
        state = await other.session.get_cancel_on_disconnect(**WS)
        check(state == {"scope": "connection", "enabled": True}, f"it is on: {state}")
        after = await placed_by(other, price, "after")
        check(await only(kept, before, after), "all three are open")
    await soon("the connection's orders are gone", lambda: only(kept))
    check(not (await ex.session.get_cancel_on_disconnect(**WS))["enabled"], "this connection did not ask")
    # The account's switch is for later connections.
    await ex.session.enable_cancel_on_disconnect("account", **WS)
    state = await ex.session.get_cancel_on_disconnect("account", **WS)
    check(state == {"scope": "account", "enabled": True}, f"it is on: {state}")
    async with client() as other:
        gone = await placed_by(other, price, "later")
        check(await only(kept, gone), "both are open")
        check((await other.session.get_cancel_on_disconnect(**WS))["enabled"], "on from the start")
    await soon("the later connection's order is gone", lambda: only(kept))
    await ex.session.disable_cancel_on_disconnect("account", **WS)
    async with client() as other:
        left = await placed_by(other, price, "left")
    await asyncio.sleep(1)
    check(await only(kept, left), "off is off")


async def main():
    async with client() as ex:
        await ex.trading.cancel_all(**WS)
        instruments = await ex.market_data.get_instruments("BTC", **WS)
        kinds = sorted({i["kind"] for i in instruments})
        step("instruments", [kinds, fields(instruments)])
        summary = await ex.account.get_account_summary("BTC", **WS)
        check(summary["equity"] > 0, "the account is funded")
        step("account", fields(summary))
        book = await ex.market_data.get_order_book(PERPETUAL, depth=10, **WS)
        check(book["bids"][0][0] < book["asks"][0][0], "the book is not crossed")
        mid = (book["bids"][0][0] + book["asks"][0][0]) / 2

        def away(share):
            return round(mid * share * 2) / 2

        async with ex.streams.market_data.book(PERPETUAL, interval="100ms") as changes:
            first = await next_of(changes, lambda e: True)
            second = await next_of(changes, lambda e: True)
            check(second["prev_change_id"] == first["change_id"], "the changes follow each other")
            step("book", [first["type"], second["type"]])

        own = await ex.streams.user.orders_by_instrument_raw(PERPETUAL)
        trades = await ex.streams.user.trades_by_instrument(PERPETUAL, interval="raw")
        placed = (await ex.trading.buy({"instrument_name": PERPETUAL, "amount": 100, "type": "limit",
                                        "price": away(0.99), "label": "typed 1"}, **WS))["order"]
        step("limit", brief(placed))
        step("limit fields", fields(placed))
        seen = await next_of(own, lambda o: o["order_id"] == placed["order_id"])
        check(seen["label"] == "typed 1", "the stream tells the caller's own label")
        step("own order", brief(seen))
        step("own order fields", fields(seen))
        opened = await ex.trading.get_open_orders(**WS)
        check([o["order_id"] for o in opened] == [placed["order_id"]], "it is the only one")
        amended = (await ex.trading.edit(placed["order_id"], amount=200, price=away(0.992), **WS))["order"]
        check(amended["amount"] == 200, "the amend took")
        step("amended", brief(amended))
        step("cancelled", brief(await ex.trading.cancel(placed["order_id"], **WS)))
        await next_of(own, lambda o: o["order_state"] == "cancelled")
        await refused_soon("cancel again", ex.trading.cancel(placed["order_id"], **WS))
        await ex.trading.sell({"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "price": away(1.01),
                               "label": "by label", "post_only": True}, **WS)
        step("cancelled by label", await ex.trading.cancel_by_label(label="by label", **WS))
        await refused_soon("post-only that would take", ex.trading.buy(
            {"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "price": away(1.004), "post_only": True,
             "reject_post_only": True}, **WS))
        bought = await ex.trading.buy({"instrument_name": PERPETUAL, "amount": 100, "type": "market"}, **WS)
        check(bought["order"]["order_state"] == "filled", "the market order filled")
        told = await next_of(trades, lambda rows: rows)
        check(told[0]["order_id"] == bought["order"]["order_id"], "the stream tells the trade")
        step("own trade", {k: told[0][k] for k in ("direction", "instrument_name", "liquidity")})
        step("own trade fields", fields(told))
        positions = await ex.account.get_positions("BTC", **WS)
        check(any(p["instrument_name"] == PERPETUAL and p["size"] == 100 for p in positions), "the position is there")
        step("position", fields(positions))
        await asyncio.sleep(PAUSE_S)
        stop = (await ex.trading.sell({"instrument_name": PERPETUAL, "amount": 100, "type": "stop_market",
                                       "trigger": "mark_price", "trigger_price": away(0.97), "reduce_only": True},
                                      **WS))["order"]
        step("stop", {k: stop[k] for k in ("order_state", "order_type", "direction", "trigger")})
        step("stop fields", fields(stop))
        await ex.trading.cancel(stop["order_id"], **WS)
        await ex.trading.sell({"instrument_name": PERPETUAL, "amount": 100, "type": "market", "reduce_only": True}, **WS)

        async def flat():
            rows = await ex.account.get_positions("BTC", **WS)
            return all(p["size"] == 0 for p in rows if p["instrument_name"] == PERPETUAL)

        await soon("flat", flat)
        # The last to expire: in the hours before an expiry no price rests below the premium, a tick or two by then.
        option = min((i for i in instruments if i["kind"] == "option" and i["option_type"] == "call"),
                     key=lambda i: (-i["expiration_timestamp"].timestamp(), abs(i["strike"] - mid)))
        # The client's schema has an option's `underlying_index` as a number; the venue sends a name.
        ticker = await ex.market_data.ticker(option["instrument_name"], validate=False, **WS)
        check(ticker["greeks"]["delta"] > 0, "a call's delta is positive")
        price = int(ticker["mark_price"] * 0.8 / 0.0005) * 5 / 10_000
        order = (await ex.trading.buy({"instrument_name": option["instrument_name"], "amount": 0.1, "type": "limit",
                                       "price": price, "label": "call"}, **WS))["order"]
        step("option", {k: brief(order)[k] for k in ("order_state", "order_type", "direction", "amount", "label")})
        await ex.trading.cancel_all(**WS)
        check(await ex.trading.get_open_orders(**WS) == [], "nothing is open")

        await asyncio.sleep(PAUSE_S)
        # The exchange wants a key that may change the account (`account:read_write`) for this, which the key of a
        # trading desk should not be: Tidegate cancels itself, for whoever may trade.
        if THROUGH_TIDEGATE:
            await cancelled_on_disconnect(ex, away(0.99))
        await ex.trading.cancel_all(**WS)
        await refused_soon("no such order", ex.trading.cancel("1", **WS))
        await refused_soon("no such instrument", ex.market_data.ticker("NOPE-PERPETUAL", **WS))
        await refused_soon("off the lot", ex.trading.buy({"instrument_name": PERPETUAL, "amount": 15, "type": "limit",
                                                          "price": away(0.99)}, **WS))
        # Over HTTP, with a bearer token and with every request signed.
        for name, http in (("bearer", OAuthHttpRpcClient), ("signed", HmacHttpRpcClient)):
            async with client(http=http) as other:
                order = (await other.trading.buy({"instrument_name": PERPETUAL, "amount": 100, "type": "limit",
                                                  "price": away(0.99), "label": name}))["order"]
                step(name, brief(order))
                await other.trading.cancel(order["order_id"])
        async with client(secret="0" * 43) as other:
            await refused_soon("wrong secret", other.account.get_account_summary("BTC", **WS))
        limit = {"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "price": away(0.99)}
        if THROUGH_TIDEGATE:
            await refused_here_soon("too large", "TG502", "ApiError",
                                    ex.trading.buy({**limit, "amount": 5_000_000}, **WS))
            await refused_here_soon("withdraw", "TG202", "ApiError", ex.ws_client.authed_request(
                "private/withdraw", params={"currency": "BTC", "address": "x", "amount": 1}))
            async with client("halted") as other:
                await refused_here_soon("halted", "TG509", "ApiError", other.trading.buy(limit, **WS))
            async with client("narrow") as other:
                await refused_here_soon("instrument not granted", "TG302", "ApiError", other.trading.buy(limit, **WS))
            async with client("revoked") as other:
                await refused_here_soon("revoked", "TG102", "ApiError", other.account.get_account_summary("BTC", **WS))
        done()


asyncio.run(main())
