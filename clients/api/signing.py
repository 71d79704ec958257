"""Requests signed with a virtual key by a stock library (RFC 9421, RFC 9530)."""

import uuid

import requests
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms


class Signature(requests.auth.AuthBase):
    """Signs each request with a key; its secret is text, as it was shown."""

    def __init__(self, key, secret):
        self.key = key
        resolver = type("Resolver", (HTTPSignatureKeyResolver,), {
            "resolve_private_key": lambda _, key_id: secret.encode(),
            "resolve_public_key": lambda _, key_id: secret.encode(),
        })()
        self.signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=resolver)

    def __call__(self, request):
        covered = ["@method", "@target-uri"]
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body:
            covered.append("content-digest")
        if "Idempotency-Key" in request.headers:
            covered.append("idempotency-key")
        # A request that is sent again is signed anew.
        for name in ("Content-Digest", "Signature", "Signature-Input"):
            request.headers.pop(name, None)
        self.signer.sign(request, key_id=self.key, nonce=uuid.uuid4().hex,
                         covered_component_ids=covered, body=body or None)
        return request
