"""The two targets of every scenario: the bare simulator, and Tidegate in front of its own one."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
START_S = 60
STOP_S = 8

# Callers beside the one whose keys the demo prints, by what is special about them: what their
# grant says beyond the money.
CALLERS = {
    "second": [],
    "wide": ["--account-wide"],
    "narrow": ["--instruments", "ETH*", "--order-types", "limit"],
    "reader": ["--read-only"],
    "slow": ["--orders-per-second", "1", "--burst", "1"],
    "halted": [],
    "revoked": [],
}
VENUES = ("binance", "deribit")


def binary():
    """The binary to test: `$TIDEGATE`, else the release build, else the debug build."""
    named = os.environ.get("TIDEGATE")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    for path in [pathlib.Path(named)] if named else [target / "release/tidegate", target / "debug/tidegate"]:
        if path.exists():
            return path
    raise SystemExit("no binary: run `cargo build --release`, or name one in TIDEGATE")


class Process:
    """A command that prints one line of JSON when it is ready and stays."""

    def __init__(self, folder, name, command):
        self.folder = folder
        self.data = folder / name
        self.log = open(folder / f"{name}.log", "wb")
        words = [os.fspath(binary()), *command, "--json", "--data-dir", os.fspath(self.data)]
        self.child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log,
                                      start_new_session=True)
        line = first_line(self.child.stdout, START_S)
        if not line:
            self.stop()
            raise SystemExit(f"`tidegate {command[0]}` was not ready in {START_S} s: see {self.log.name}")
        self.ready = json.loads(line)

    def stop(self):
        """Asks the command to end, then makes it and whatever it started."""
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        self.log.close()

    def targets(self):
        """What scenarios read, by venue and way: `root` is the venue's own port, `prefix` the
        path on the listener that all venues share."""
        found = {}
        for venue, told in self.ready["venues"].items():
            common = {"venue": venue, "ca": self.ready["ca"], "key": told["key"], "secret": told["secret"],
                      "gateway": bool(self.ready["pids"]["gateway"]), "others": {}}
            prefixed = told["prefixed"]
            found[venue, "root"] = {**common, "rest": told["rest"], "ws": told["ws"]}
            found[venue, "prefix"] = {**common, "rest": prefixed, "ws": prefixed.replace("http", "ws", 1)}
        return found


def first_line(stream, seconds):
    """The first line of a stream, or nothing in time."""
    lines = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return b""


def bare(folder):
    """The simulator alone."""
    return Process(folder, "bare", ["sim", "--listen", "127.0.0.1:0"])


def through(folder):
    """The demo: simulator, gateway, signer and bots."""
    return Process(folder, "through", ["demo", "--approvals", "one", "--listen", "127.0.0.1:0"])


def manage(data, *words):
    """Runs an administrator's command on a running gateway."""
    done = subprocess.run([os.fspath(binary()), *words, "--json", "--data-dir", os.fspath(data)],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"`tidegate {' '.join(words)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def seat_others(data):
    """Gives the desk more callers on the account that the demo's own keys trade, and tells their
    keys by venue and caller."""
    keys = {venue: {} for venue in VENUES}
    for caller, special in CALLERS.items():
        manage(data, "caller", "add", caller)
        for venue in VENUES:
            account = f"{venue}-main"
            money = [] if "--read-only" in special else ["--max-order", "100000", "--max-open", "400000"]
            manage(data, "grant", "set", caller, "--account", account, *money, *special)
            made = manage(data, "caller", "key", caller, "--account", account)
            keys[venue][caller] = {"key": made["id"], "secret": made["secret"]}
            if caller == "revoked":
                manage(data, "caller", "revoke", made["id"])
    manage(data, "halt", "caller:halted", "--reason", "so that scenarios see a halt")
    return keys
