"""Stock ccxt, pointed at the target by base URLs alone."""

from scenario import TARGET, key_of


def replaced(urls, hosts):
    """The client's table of URLs with hosts exchanged."""
    if isinstance(urls, dict):
        return {key: replaced(value, hosts) for key, value in urls.items()}
    for host, ours in hosts.items():
        if isinstance(urls, str) and urls.startswith(host):
            return ours + urls[len(host):]
    return urls


def settings(caller):
    """The key, and the certificate authority to trust: by `REQUESTS_CA_BUNDLE` for REST, as
    `cafile` for WebSockets."""
    key = key_of(caller)
    return {"apiKey": key["key"], "secret": key["secret"], "cafile": TARGET["ca"],
            "requests_trust_env": True, "enableRateLimit": False}


def binance(module, caller=None):
    """`binanceusdm` of a ccxt module."""
    exchange = module.binanceusdm(settings(caller))
    rest, ws = TARGET["rest"], TARGET["ws"]
    exchange.urls["api"] = replaced(exchange.urls["api"], {
        "https://fapi.binance.com": rest, "https://dapi.binance.com": rest,
        "https://api.binance.com": rest,
        "wss://fstream.binance.com": ws, "wss://ws-fapi.binance.com": ws,
    })
    return exchange


def deribit(module, caller=None):
    """`deribit` of a ccxt module."""
    # The venue gives a new account five orders a second, so the client keeps to its own rates.
    exchange = module.deribit({**settings(caller), "enableRateLimit": True})
    exchange.urls["api"] = {"rest": TARGET["rest"], "ws": TARGET["ws"] + "/ws/api/v2"}
    return exchange


def sent_twice(exchange, path, api, method, params):
    """Sends one signed request twice, byte for byte; answers the second answer."""
    request = exchange.sign(path, [api], method, params)
    exchange.fetch(request["url"], request["method"], request["headers"], request["body"])
    return exchange.fetch(request["url"], request["method"], request["headers"], request["body"])
