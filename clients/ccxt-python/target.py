"""Stock ccxt, pointed at the target by base URL alone."""

from scenario import TARGET


def replaced(urls, hosts):
    """The client's table of URLs with hosts exchanged."""
    if isinstance(urls, dict):
        return {key: replaced(value, hosts) for key, value in urls.items()}
    for host, ours in hosts.items():
        if isinstance(urls, str) and urls.startswith(host):
            return ours + urls[len(host):]
    return urls


def binance(module, **options):
    """`binanceusdm` of a ccxt module."""
    exchange = module.binanceusdm({
        "apiKey": TARGET["key"], "secret": TARGET["secret"], "cafile": TARGET["ca"], "requests_trust_env": True,
        "enableRateLimit": False, "options": options,
    })
    rest, ws = TARGET["rest"], TARGET["ws"]
    exchange.urls["api"] = replaced(exchange.urls["api"], {
        "https://fapi.binance.com": rest, "https://dapi.binance.com": rest,
        "https://eapi.binance.com": rest, "https://papi.binance.com": rest,
        "https://api.binance.com": rest, "wss://ws-fapi.binance.com": ws,
        "wss://fstream.binance.com": ws,
    })
    return exchange


def deribit(module, **options):
    """`deribit` of a ccxt module."""
    exchange = module.deribit({
        "apiKey": TARGET["key"], "secret": TARGET["secret"], "cafile": TARGET["ca"], "requests_trust_env": True,
        "enableRateLimit": False, "options": options,
    })
    exchange.urls["api"] = {"rest": TARGET["rest"], "ws": TARGET["ws"] + "/ws/api/v2"}
    return exchange
