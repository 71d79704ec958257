"""Stock ccxt, pointed at the target by base URLs alone."""

import ccxt_urls
from scenario import TARGET, key_of


def settings(caller):
    """The key, and the certificate authority to trust: by `REQUESTS_CA_BUNDLE` for REST, as
    `cafile` for WebSockets."""
    key = key_of(caller)
    return {"apiKey": key["key"], "secret": key["secret"], "cafile": TARGET["ca"],
            "requests_trust_env": True, "enableRateLimit": False}


def binance(module, caller=None):
    """`binanceusdm` of a ccxt module."""
    return ccxt_urls.binance(module.binanceusdm(settings(caller)), TARGET["rest"], TARGET["ws"])


def deribit(module, caller=None):
    """`deribit` of a ccxt module."""
    # The venue gives a new account five orders a second, so the client keeps to its own rates.
    exchange = module.deribit({**settings(caller), "enableRateLimit": True})
    return ccxt_urls.deribit(exchange, TARGET["rest"], TARGET["ws"])


def sent_twice(exchange, path, api, method, params):
    """Sends one signed request twice, byte for byte; answers the second answer."""
    request = exchange.sign(path, [api], method, params)
    exchange.fetch(request["url"], request["method"], request["headers"], request["body"])
    return exchange.fetch(request["url"], request["method"], request["headers"], request["body"])
