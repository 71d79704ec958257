"""Follows one's orders over the stream with the stock `websockets` client, signed by a stock library, and goes on
after a disconnect; each message is held against the published AsyncAPI document."""

import asyncio
import json
import ssl
import sys
import uuid

import jsonschema_rs
import requests
import websockets
from signing import Signature

TARGET = json.loads(sys.argv[1])
BASE = TARGET["gateway"]
SIGNATURE = Signature(TARGET["key"], TARGET["secret"])


def session():
    asked = requests.Session()
    asked.verify, asked.auth = TARGET["ca"], SIGNATURE
    return asked


def connect(**more):
    """A connection; its one proof is the signature over the request that opens it."""
    opening = requests.Request("GET", BASE + "/v1/stream", auth=SIGNATURE).prepare()
    proof = {name: opening.headers[name] for name in ("Signature-Input", "Signature")}
    tls = ssl.create_default_context(cafile=TARGET["ca"])
    address = BASE.replace("https://", "wss://") + "/v1/stream"
    return websockets.connect(address, ssl=tls, additional_headers={**proof, **more})


class Messages:
    """Validates what the gateway says."""

    def __init__(self):
        document = requests.get(BASE + "/v1/asyncapi.json", verify=TARGET["ca"], timeout=20).json()
        told = document["operations"]["tell"]["messages"]
        names = [reference["$ref"].rsplit("/", 1)[1] for reference in told]
        of = {name: document["components"]["messages"][name]["payload"] for name in names}
        shared = {"components": document["components"]}
        self.validators = {name: jsonschema_rs.Draft202012Validator({**schema, **shared})
                           for name, schema in of.items()}
        self.seen = set()

    async def hear(self, socket, kind=None):
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), 20))
            self.validators[message["type"]].validate(message)
            self.seen.add(message["type"])
            if kind in (None, message["type"]):
                return message


async def say(socket, **what):
    await socket.send(json.dumps(what))


async def main():
    messages, asked = Messages(), session()
    instrument = TARGET["instrument"]
    order = {"instrument": instrument, "side": "buy", "type": "market", "quantity": TARGET["quantity"]}
    every = ["orders", "fills", "positions", "balances", "limits", "halts", "approvals"]
    async with connect() as socket:
        hello = await messages.hear(socket, "hello")
        await say(socket, op="subscribe", channels=every, id="all")
        assert (await messages.hear(socket))["channels"] == every
        while not set(every) - {"fills"} <= messages.seen:
            await messages.hear(socket)
        placed = asked.post(BASE + "/v1/orders", json=order, timeout=20,
                            headers={"Idempotency-Key": str(uuid.uuid4())}).json()
        fills = await messages.hear(socket, "fills")
        while all(fill["order"] != placed["id"] for fill in fills["items"]):
            fills = await messages.hear(socket, "fills")
        await messages.hear(socket, "positions")
        await say(socket, op="ping", id="p")
        assert (await messages.hear(socket, "pong"))["id"] == "p"
        await say(socket, op="nonsense")
        assert (await messages.hear(socket, "refused"))["problem"]["code"] == "TG207"
    missed = asked.post(BASE + "/v1/orders", json=order, timeout=20).json()
    async with connect() as socket:
        await say(socket, op="subscribe", channels=["fills"], after=fills["seq"], epoch=hello["epoch"])
        assert (await messages.hear(socket, "subscribed"))["resumed"] is True
        again = await messages.hear(socket, "fills")
        while all(fill["order"] != missed["id"] for fill in again["items"]):
            again = await messages.hear(socket, "fills")
        assert not {fill["id"] for fill in again["items"]} & {fill["id"] for fill in fills["items"]}
    for headers, status in (({"Signature": "s=:AAAA:"}, 401), ({"Origin": "https://elsewhere.example"}, 400)):
        try:
            async with connect(**headers):
                raise AssertionError(headers)
        except websockets.InvalidStatus as refused:
            assert refused.response.status_code == status, refused
    print(json.dumps({"followed": instrument, "messages": sorted(messages.seen)}))


asyncio.run(main())
