"""The processes: simulator and gateway with a supervisor each, and the desk's set-up."""

import ctypes
import json
import os
import signal
import subprocess
import threading
import time

import targets
import world

START_S = 90
# As `Restart=always`, `RestartSec=1`.
RESTART_S = 1
ACCOUNTS = {"binance-main": "binance", "deribit-main": "deribit"}
LIMITS = ["--max-order", "200000", "--max-open", "2000000", "--max-position", "4000000",
          "--max-exposure", "8000000", "--orders-per-second", "40", "--burst", "100"]
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Has the system end this process when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Supervised:
    """A process that is started again whenever it ends, as a service manager does."""

    def __init__(self, name, command, log, ready=True, environment=None):
        self.name, self.command, self.environment = name, command, environment
        self.log = open(log, "ab")
        self.reads = ready
        self.told = None
        self.child = None
        self.starts = 0
        self.failed_starts = 0
        self.why = None
        self.wanted = True
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self.keep, daemon=True)
        self.thread.start()

    def keep(self):
        while self.wanted:
            self.starts += 1
            self.log.write(f"-- start {self.starts} at {time.time():.3f}\n".encode())
            self.log.flush()
            self.child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stderr=self.log, env=self.environment,
                stdout=subprocess.PIPE if self.reads else self.log, preexec_fn=die_with_parent)
            if self.reads:
                line = self.child.stdout.readline()
                try:
                    told = json.loads(line)
                except ValueError:
                    told = {"error": line.decode(errors="replace")}
                if "error" in told:
                    self.log.write(line)
                    self.log.flush()
                    self.why = told["error"]
                    self.failed_starts += 1
                else:
                    self.told = told
                    self.is_ready.set()
            code = self.child.wait()
            self.is_ready.clear()
            self.log.write(f"-- ended with {code} at {time.time():.3f}\n".encode())
            self.log.flush()
            if self.wanted:
                time.sleep(RESTART_S)

    def wait_ready(self, seconds=START_S):
        if not self.is_ready.wait(seconds):
            raise Trouble(f"the {self.name} was not ready in {seconds} s: see {self.log.name}")
        return self.told

    def kill(self):
        """Ends it without warning; it will be started again."""
        self.is_ready.clear()
        self.child.send_signal(signal.SIGKILL)

    def restart(self):
        """Asks it to end; it will be started again."""
        self.is_ready.clear()
        self.child.send_signal(signal.SIGTERM)

    def stop(self, patience=20):
        """Ends it for good."""
        self.wanted = False
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.thread.join(patience)


class Trouble(Exception):
    """The run cannot go on."""


class Stage:
    """Everything that runs but the bots."""

    def __init__(self, folder, net, disk):
        self.folder, self.net = folder, net
        self.data = folder / "disk" / "data"
        if disk:
            world.small_disk(folder / "disk", disk)
        else:
            (folder / "disk").mkdir()
        exchange = world.EXCHANGE if net else "127.0.0.1"
        gateway = world.GATEWAY if net else "127.0.0.1"
        self.exchange_at = f"{exchange}:{8543 if net else free_port()}"
        self.gateway_at = f"{gateway}:{8443 if net else free_port()}"
        self.where = {"exchange": "exchange", "gateway": "gateway"} if net else {"exchange": None, "gateway": None}
        binary = os.fspath(targets.binary())
        self.sim = Supervised("simulator", [
            *world.prefix(self.where["exchange"]), binary, "sim", "--die-with-parent", "--json", "--control",
            "--listen", self.exchange_at, "--data-dir", os.fspath(folder / "exchange")], folder / "simulator.log")
        self.sim.wait_ready()
        self.own("init", "--desk", "chaos", "--key-file", "--listen", self.gateway_at)
        self.write_config()
        for account, venue in ACCOUNTS.items():
            told = self.sim.told["venues"][venue]
            key = {"key": told["key"], "secret": told["secret"]}
            self.own("venue-key", "import", "--account", account, "--venue", venue, told=json.dumps(key))
        self.gateway = Supervised("gateway", [
            *world.prefix(self.where["gateway"]), binary, "serve", "--die-with-parent", "--json",
            "--data-dir", os.fspath(self.data)], folder / "gateway.log")
        self.gateway.wait_ready()
        for account, venue in ACCOUNTS.items():
            # Bots of one account trade where they like here: what is looked for is lost orders.
            self.own("account", "add", account, "--venue", venue, "--self-trade", "off")
            self.own("limit", "set", account, *LIMITS)
        self.signers = 0

    def write_config(self):
        lines = ['desk = "chaos"', "[listen]", f'address = "{self.gateway_at}"', "[journal]", "segment_kib = 256"]
        for venue in set(ACCOUNTS.values()):
            at = f"{self.exchange_at}/{venue}"
            lines += [f"[venues.{venue}]", f'rest = "https://{at}"', f'ws = "wss://{at}"',
                      f'ca_file = "{self.folder / "exchange" / "ca.pem"}"']
        (self.data / "tidegate.toml").write_text("\n".join(lines) + "\n")

    def own(self, *words, told=None, patience=120, check=True):
        """Runs one of Tidegate's commands where the gateway is; its status and what it said."""
        command = [*world.prefix(self.where["gateway"]), os.fspath(targets.binary()), *words, "--json",
                   "--data-dir", os.fspath(self.data)]
        done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=patience)
        if check and done.returncode != 0:
            raise Trouble(f"`tidegate {' '.join(words)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
        try:
            value = json.loads(done.stdout)
        except ValueError:
            value = {"text": done.stdout + done.stderr}
        return value if check else (done.returncode, value)

    def seat(self, caller, account):
        """A caller with a key and a grant; what its client needs."""
        self.own("caller", "add", caller)
        self.own("grant", "set", caller, "--account", account, "--max-order", "100000", "--max-open", "600000",
                 "--orders-per-second", "20", "--burst", "60")
        made = self.own("caller", "key", caller, "--account", account)
        url = f"https://{self.gateway_at}/{ACCOUNTS[account]}"
        return {"venue": ACCOUNTS[account], "rest": url, "ws": url.replace("http", "ws", 1),
                "ca": os.fspath(self.data / "ca.pem"), "key": made["id"], "secret": made["secret"]}

    def status(self):
        """What the gateway says of itself; nothing when it does not answer."""
        try:
            code, value = self.own("status", patience=10, check=False)
        except subprocess.TimeoutExpired:
            return None
        return value if code == 0 else None

    def wait_open(self, seconds=START_S):
        """Waits until every account takes orders."""
        end = time.monotonic() + seconds
        status = None
        while time.monotonic() < end:
            status = self.status()
            if status and status["accounts"] and all(account["open"] for account in status["accounts"]):
                return status
            time.sleep(0.2)
        why = [f"{a['account']}: {a['why']}" for a in (status or {}).get("accounts", []) if not a["open"]]
        raise Trouble(f"not every account opened within {seconds} s: {'; '.join(why) or 'no answer'}")

    def kill_signer(self):
        """Kills the signer, if there is one just now."""
        status = self.status()
        pid = status and status["pids"]["signer"]
        if not pid:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.signers += 1
        return True

    def stop(self):
        for process in (getattr(self, "gateway", None), self.sim):
            if process:
                process.stop()


def free_port():
    import socket
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
