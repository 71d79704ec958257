"""Trades over the unified API with nothing but `requests` and a stock signing library."""

import json
import sys
import time
import uuid

import requests
from signing import Signature

TARGET = json.loads(sys.argv[1])


def main():
    session = requests.Session()
    session.verify = TARGET["ca"]
    session.auth = Signature(TARGET["key"], TARGET["secret"])
    base = TARGET["gateway"]

    def ask(method, path, status, **options):
        answer = session.request(method, base + path, timeout=20, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json()

    instrument = TARGET["instrument"]
    terms = ask("GET", f"/v1/instruments/{instrument}", 200)
    mark = float(terms["last_mark"]["mark"])
    tick = float(terms["tick"])
    price = f"{round(mark * 0.99 / tick) * tick:.2f}"
    limits = ask("GET", "/v1/limits", 200)
    assert limits["open"] and limits["grant"]["trade"], limits

    order = {"instrument": instrument, "side": "buy", "type": "limit", "quantity": TARGET["quantity"],
             "price": price, "post_only": "reject"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    placed = ask("POST", "/v1/orders", 201, json=order, headers=key)
    assert placed["state"] == "open" and placed["client_order_id"] == key["Idempotency-Key"], placed
    again = ask("POST", "/v1/orders", 201, json=order, headers=key)
    assert again == placed, again
    changed = ask("POST", "/v1/orders", 422, json={**order, "side": "sell"}, headers=key)
    assert changed["type"].endswith("idempotency-key-reused"), changed

    found = ask("GET", "/v1/orders?client_order_id=" + key["Idempotency-Key"], 200)
    assert [row["id"] for row in found["items"]] == [placed["id"]], found
    lower = f"{round(mark * 0.988 / tick) * tick:.2f}"
    amended = ask("POST", f"/v1/orders/{placed['id']}/amend", 200, json={"price": lower})
    assert float(amended["price"]) == float(lower), amended
    cancelled = ask("DELETE", f"/v1/orders/{placed['id']}", 200)
    assert cancelled["state"] == "cancelled", cancelled
    gone = ask("DELETE", f"/v1/orders/{placed['id']}", 409)
    assert gone["code"] == "TG309", gone

    bought = ask("POST", "/v1/orders", 201, json={
        "instrument": instrument, "side": "buy", "type": "market", "quantity": TARGET["quantity"]})
    for _ in range(50):
        fills = ask("GET", "/v1/fills?limit=5", 200)["items"]
        if any(fill["order"] == bought["id"] for fill in fills):
            break
        time.sleep(0.1)
    else:
        raise AssertionError(("no fill", bought, fills))
    held = ask("GET", "/v1/positions", 200)["items"]
    assert any(row["instrument"] == instrument for row in held), held
    assert ask("GET", "/v1/balances", 200)["items"]
    assert ask("POST", "/v1/orders/cancel", 200, json={})["failed"] == []

    page, seen = ask("GET", "/v1/journal", 200), 0
    while page["items"] or seen == 0:
        seen += len(page["items"])
        page = ask("GET", "/v1/journal?cursor=" + page["next"], 200)

    session.auth = None
    assert session.get(base + "/v1/orders", timeout=20).status_code == 401
    session.auth = Signature(TARGET["key"], "0" * 64)
    refused = session.get(base + "/v1/orders", timeout=20)
    assert (refused.status_code, refused.json()["code"]) == (401, "TG103"), refused.text
    print(json.dumps({"traded": instrument, "records": seen}))


main()
