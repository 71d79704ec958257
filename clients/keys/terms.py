"""Virtual keys of every scheme of the venue's with stock ccxt, and keys that are bound to a network and a time, and
rotated: the client is told what is wrong in the venue's own way."""

import asyncio
import datetime
import time

import ccxt
import ccxt.pro
import target
import targets
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from scenario import TARGET, check, done, refused_here, step

SYMBOL = "BTC/USDT:USDT"
SEAT = ("second", "--account", "binance-main")


def administer(*words):
    return targets.manage(TARGET["data_dir"], *words)


def client(made, secret=None):
    """Stock ccxt with a key that was just made."""
    TARGET["others"]["made"] = {"key": made["id"], "secret": secret or made["secret"]}
    exchange = target.binance(ccxt, "made")
    exchange.set_markets(markets)
    return exchange


def pem(private):
    """A private key's PEM text, and the file of its public key."""
    public = private.public_key().public_bytes(serialization.Encoding.PEM,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
    with open("public.pem", "wb") as file:
        file.write(public)
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()).decode()


def turned_away(name, exchange):
    """The venue's own words for a bad key or signature, which name no reason."""
    try:
        exchange.fetch_balance()
    except ccxt.AuthenticationError:
        return
    check(False, f"{name}: it was let in")


def listed(key):
    return next(told for told in administer("caller", "keys")["keys"] if told["id"] == key["id"])


first = target.binance(ccxt)
markets = first.load_markets()
price = float(first.price_to_precision(SYMBOL, first.fetch_ticker(SYMBOL)["last"] * 0.98))

for scheme, private in (("rsa", rsa.generate_private_key(65537, 3072)), ("ed25519", ed25519.Ed25519PrivateKey.generate())):
    text = pem(private)
    made = administer("caller", "key", *SEAT, "--public-key", "public.pem")
    check(made.get("secret") is None, "no secret is made")
    check((listed(made)["scheme"], listed(made)["last_used_ms"]) == (scheme, None), f"listed: {listed(made)}")
    exchange = client(made, text)
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, price)
    check(exchange.cancel_order(order["id"], SYMBOL)["status"] == "canceled", "the order is cancelled")
    check(listed(made)["last_used_ms"] is not None, "its use is told")
    other = pem(rsa.generate_private_key(65537, 3072) if scheme == "rsa" else ed25519.Ed25519PrivateKey.generate())
    turned_away("another key", client(made, other))
    administer("caller", "revoke", made["id"])
    turned_away("revoked", exchange)
    step(scheme, "done")

elsewhere = administer("caller", "key", *SEAT, "--from", "203.0.113.0/24", "--from", "2001:db8::/32")
refused_here("not from here", "TG109", "AuthenticationError", client(elsewhere).fetch_balance)
here = client(administer("caller", "key", *SEAT, "--from", "127.0.0.0/8"))
check(here.fetch_balance()["USDT"]["total"] > 0, "good from here")

end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
short = client(administer("caller", "key", *SEAT, "--until", end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
check(short.fetch_balance()["USDT"]["total"] > 0, "good for a while")
time.sleep(max(0, end.timestamp() - time.time()) + 0.1)
refused_here("ended", "TG108", "AuthenticationError", short.fetch_balance)

old = administer("caller", "key", *SEAT)
new = administer("caller", "rotate", old["id"], "--overlap-h", "1")
for made in (old, new):
    check(client(made).fetch_balance()["USDT"]["total"] > 0, "both are good")
newest = administer("caller", "rotate", new["id"], "--overlap-h", "0")
refused_here("replaced", "TG108", "AuthenticationError", client(new).fetch_balance)
check(client(newest).fetch_balance()["USDT"]["total"] > 0, "the newest is good")
step("rotated", listed(new)["ended"])


async def stream_ends():
    """A private stream that nothing is told on ends with its key."""
    made = administer("caller", "key", *SEAT)
    TARGET["others"]["made"] = {"key": made["id"], "secret": made["secret"]}
    exchange = target.binance(ccxt.pro, "made")
    exchange.set_markets(markets)
    watching = asyncio.create_task(exchange.watch_orders(SYMBOL))
    done_early, _ = await asyncio.wait([watching], timeout=2)
    check(not done_early, f"the stream is open: {done_early}")
    administer("caller", "revoke", made["id"])
    began = time.monotonic()
    ended, _ = await asyncio.wait([watching], timeout=20)
    took = time.monotonic() - began
    check(ended and watching.exception() is not None, "the stream was closed")
    step("closed after", f"{took * 1000:.0f} ms")
    await exchange.close()


asyncio.run(stream_ends())
done()
