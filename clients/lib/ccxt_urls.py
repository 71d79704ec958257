"""Points a stock ccxt client at another host, by its base URLs alone."""


def binance(exchange, rest, ws):
    """Of `binanceusdm`: every host of the exchange is `rest` or `ws`."""
    exchange.urls["api"] = replaced(exchange.urls["api"], {
        "https://fapi.binance.com": rest, "https://dapi.binance.com": rest, "https://api.binance.com": rest,
        "wss://fstream.binance.com": ws, "wss://ws-fapi.binance.com": ws,
    })
    return exchange


def deribit(exchange, rest, ws):
    """Of `deribit`."""
    exchange.urls["api"] = {"rest": rest, "ws": ws + "/ws/api/v2"}
    return exchange


def replaced(urls, hosts):
    """The client's table of URLs with hosts exchanged."""
    if isinstance(urls, dict):
        return {key: replaced(value, hosts) for key, value in urls.items()}
    for host, ours in hosts.items():
        if isinstance(urls, str) and urls.startswith(host):
            return ours + urls[len(host):]
    return urls
