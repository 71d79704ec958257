"""Has an order answered by a receipt, and checks it with a stock library against the published key."""

import base64
import json
import sys

import requests
from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms
from signing import Signature

TARGET = json.loads(sys.argv[1])
WHERE = "/.well-known/oauth-protected-resource"
# Receipts name the gateway by its own address, whichever of its names it was reached by.
BASE = requests.get(TARGET["gateway"] + WHERE, verify=TARGET["ca"], timeout=20).json()["authorization_servers"][0]


class Published(HTTPSignatureKeyResolver):
    """The keys that the gateway publishes."""

    def __init__(self):
        keys = requests.get(BASE + "/oauth/jwks", verify=TARGET["ca"], timeout=20).json()["keys"]
        raw = {key["kid"]: base64.urlsafe_b64decode(key["x"] + "==") for key in keys}
        self.keys = {kid: ed25519.Ed25519PublicKey.from_public_bytes(x) for kid, x in raw.items()}

    def resolve_public_key(self, key_id):
        return self.keys[key_id]


def main():
    session = requests.Session()
    session.verify, session.auth = TARGET["ca"], Signature(TARGET["key"], TARGET["secret"])
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Published())
    order = {"instrument": TARGET["instrument"], "side": "buy", "type": "market", "quantity": TARGET["quantity"]}
    asks = {"Accept-Signature": 'receipt=("@status" "content-digest")'}
    answer = session.post(BASE + "/v1/orders", json=order, headers=asks, timeout=20)
    assert answer.status_code == 201, answer.text
    needed = ("@status", "content-digest", '"@method";req', '"@target-uri";req', '"content-digest";req',
              '"signature-input";req', '"signature";req')
    check = {"max_age": None, "expect_tag": "fapi-2-response", "require_components": needed}
    [result] = verifier.verify(answer, body=answer.content, **check)
    for change, body in ((201, answer.content + b" "), (200, answer.content)):
        answer.status_code = change
        try:
            verifier.verify(answer, body=body, **check)
        except InvalidSignature:
            continue
        raise AssertionError("what was not answered is signed")
    plain = session.get(BASE + "/v1/orders", timeout=20)
    assert "Signature" not in plain.headers
    print(json.dumps({"covered": sorted(result.covered_components)}))


main()
