"""Binance's own SDK, pointed at the target by its configuration."""

import logging

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from scenario import TARGET, key_of

# The SDK logs every refusal as an error of its own.
logging.disable(logging.CRITICAL)


def sdk(caller=None, **changed):
    key = key_of(caller)
    credentials = {"api_key": key["key"], "api_secret": key["secret"], **changed}
    return DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(base_path=TARGET["rest"], retries=0, timeout=10_000, **credentials),
        config_ws_api=ConfigurationWebSocketAPI(stream_url=TARGET["ws"] + "/ws-fapi/v1", **credentials),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=TARGET["ws"] + "/stream"),
    )
