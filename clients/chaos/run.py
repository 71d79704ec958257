#!/usr/bin/env python3
"""Stock bots trade through Tidegate while processes are killed, the network is cut and the disk fills.

    cargo xtask chaos [--minutes N] [--seed N] [--faults kill,net,disk]

Ends with a table of what went wrong on purpose and of what was found, and 0 when nothing was lost
and nothing came twice. `docs/chaos.md` says what is checked.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

CHAOS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(CHAOS.parent / "lib"))
sys.path.insert(1, str(CHAOS))

import packages  # noqa: E402
import world  # noqa: E402

KINDS = ("kill", "net", "disk")
# The bots: who, where, and how they trade. Two send again under the same id after an error, the
# others ask for the id; one listens to its orders over a WebSocket; one is impatient.
BOTS = [
    {"name": "maker", "account": "binance-main", "symbol": "BTC/USDT:USDT", "unit": 0.01, "market_share": 0,
     "most_open": 12, "pause": [0.02, 0.2], "again": True, "streams": False, "timeout_ms": 4000},
    {"name": "taker", "account": "binance-main", "symbol": "BTC/USDT:USDT", "unit": 0.01, "market_share": 0.6,
     "most_open": 5, "pause": [0.02, 0.2], "again": False, "streams": False},
    {"name": "again", "account": "binance-main", "symbol": "ETH/USDT:USDT", "unit": 0.1, "market_share": 0.5,
     "most_open": 6, "pause": [0.02, 0.2], "again": True, "streams": False, "timeout_ms": 6000},
    {"name": "listener", "account": "binance-main", "symbol": "ETH/USDT:USDT", "unit": 0.1, "market_share": 0.3,
     "most_open": 6, "pause": [0.02, 0.3], "again": False, "streams": True},
    {"name": "inverse", "account": "deribit-main", "symbol": "BTC/USD:BTC", "unit": 100, "market_share": 0.4,
     "most_open": 4, "pause": [0.1, 0.5], "again": False, "streams": False},
]
SYMBOLS = {"binance": ["BTCUSDT", "ETHUSDT"], "deribit": ["BTC-PERPETUAL"]}


def main():
    args = arguments()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["PYTHONPATH"] = str(CHAOS.parent / "lib")
    python = packages.python()
    if pathlib.Path(sys.prefix) != pathlib.Path(python).parent.parent:
        os.execv(python, [python, "-u", *sys.argv])
    have, why = world.enter(sys.argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tidegate-chaos-"))
    folder.chmod(0o755)
    bundle = folder / "authorities.pem"
    os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
    import chaos
    print(f"seed {args.seed}, {args.minutes:g} min, logs in {folder}")
    run = chaos.Run(folder, args, have, why, python)
    failed = True
    try:
        run.begin(BOTS, SYMBOLS, bundle)
        run.go_wrong()
        failed = run.end()
    except Exception as error:  # noqa: BLE001 - whatever it is, the logs are kept and named
        traceback.print_exc()
        print(f"FAILED: the run did not come to its end: {error}")
    finally:
        run.stop()
    # The disk goes with the namespace.
    if (folder / "disk" / "data").exists():
        shutil.copytree(folder / "disk" / "data", folder / "data", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.sock", "filler"))
    print(f"logs: {folder}" + ("" if failed or args.keep else " (removed)"))
    if not failed and not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="cargo xtask chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3, help="how long things go wrong (3)")
    parser.add_argument("--seed", type=int, default=None, help="what goes wrong when (drawn)")
    parser.add_argument("--faults", default=",".join(KINDS), help="kinds of faults: kill,net,disk (all)")
    parser.add_argument("--keep", action="store_true", help="keep the logs when all is well")
    args = parser.parse_args()
    args.faults = [kind for kind in args.faults.split(",") if kind]
    for kind in args.faults:
        if kind not in KINDS:
            parser.error(f"--faults: {kind} is not one of {', '.join(KINDS)}")
    if args.seed is None:
        # Kept over the steps into the namespaces.
        args.seed = int(os.environ.setdefault("TIDEGATE_CHAOS_SEED", str(random.randrange(1_000_000))))
    return args


if __name__ == "__main__":
    sys.exit(main())
