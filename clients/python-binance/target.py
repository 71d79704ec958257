"""Stock python-binance, pointed at the target by its class attributes."""

from scenario import TARGET

REST, WS = TARGET["rest"], TARGET["ws"]
URLS = {
    "API_URL": REST + "/api", "MARGIN_API_URL": REST + "/sapi",
    "FUTURES_URL": REST + "/fapi", "FUTURES_DATA_URL": REST + "/futures/data",
    "WS_FUTURES_URL": WS + "/ws-fapi/v1",
}


def pointed(client):
    """The client class with the target's URLs."""
    return type(client.__name__, (client,), URLS)


def manager(module):
    """The socket manager class with the target's URLs."""
    return type("Manager", (module.BinanceSocketManager,), {"FSTREAM_URL": WS + "/"})
