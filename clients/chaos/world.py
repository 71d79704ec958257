"""Where the processes live: network namespaces joined by virtual cables, and a small disk.

All of it is in namespaces of the harness's own, so that nothing of it is seen outside and nothing
stays when the harness ends. What the machine does not permit is left out, and said.

    bots (the harness)  10.77.2.1 ── 10.77.2.2  gateway  10.77.1.1 ── 10.77.1.2  exchange
                        10.77.3.1 ─────────────── past the gateway ── 10.77.3.2
"""

import os
import random
import subprocess
import sys
import time

# The ways into namespaces of one's own, the best first: what they are called, and the command.
WAYS = [
    ("net,mount", ["unshare", "--mount", "--net"]),
    ("net,mount", ["unshare", "--user", "--map-root-user", "--mount", "--net"]),
    ("mount", ["unshare", "--mount"]),
    ("mount", ["unshare", "--user", "--map-root-user", "--mount"]),
]
# What each needs to be of use.
TRIES = {
    "net": "ip link set lo up && ip link add p0 type veth peer name p1 && mount -t tmpfs none /run "
           "&& ip netns add p && nsenter --net=/run/netns/p true",
    "mount": "mount -t tmpfs -o size=1m none /mnt",
}
NAMED = "TIDEGATE_CHAOS_WORLD"
EXCHANGE, GATEWAY, BEHIND = "10.77.1.2", "10.77.2.2", "10.77.3.2"
NOBODY = "02:00:00:00:00:99"


def enter(argv):
    """Starts this program again in namespaces of its own; what is there, and why not the rest."""
    if NAMED in os.environ:
        have, why = os.environ[NAMED].split("|", 1)
        return set(filter(None, have.split(","))), why
    why = ""
    for parts, command in WAYS:
        tries = " && ".join(TRIES[part] for part in parts.split(","))
        try:
            tried = subprocess.run([*command, "sh", "-c", tries], capture_output=True, text=True)
        except FileNotFoundError:
            why = "there is no `unshare` (apt-get install util-linux)"
            break
        if tried.returncode == 0:
            os.environ[NAMED] = f"{parts}|{why}"
            os.execvp(command[0], [*command, sys.executable, "-u", *argv])
        said = (tried.stderr.strip().splitlines() or [f"status {tried.returncode}"])[-1]
        if "ip: not found" in said:
            said += " (apt-get install iproute2)"
        why = why or f"`{' '.join(command)}`: {said}"
    os.environ[NAMED] = f"|{why}"
    return set(), why


def run(*words, where=None, check=True):
    """Runs a command, in a network namespace if one is named."""
    return subprocess.run([*prefix(where), *words], check=check, capture_output=True, text=True)


def prefix(where):
    """What a command is put behind to run in a network namespace."""
    return ["nsenter", f"--net=/run/netns/{where}"] if where else []


def small_disk(path, mebibytes):
    """Mounts a disk of this size."""
    path.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "none", str(path))


class Cable:
    """A virtual cable between two namespaces, and what can be done to it."""

    def __init__(self, name, ends):
        # Each end: namespace, device, its address.
        self.name = name
        self.ends = ends
        (a_where, a_device, _), (b_where, b_device, _) = ends
        run("ip", "link", "add", a_device, "type", "veth", "peer", "name", b_device)
        for where, device, address in ends:
            if where:
                run("ip", "link", "set", device, "netns", where)
            run("ip", "addr", "add", f"{address}/30", "dev", device, where=where)
            run("ip", "link", "set", device, "up", where=where)

    def pull(self, end):
        """Pulls the plug out of one end: whoever is there is told by his own system."""
        where, device, _ = self.ends[end]
        run("ip", "link", "set", device, "down", where=where)

    def plug(self, end):
        """Puts the plug back."""
        where, device, _ = self.ends[end]
        run("ip", "link", "set", device, "up", where=where)

    def mute(self, end):
        """What this end sends gets lost without a word; what it is sent still arrives."""
        where, device, _ = self.ends[end]
        run("ip", "neigh", "replace", self.ends[1 - end][2], "lladdr", NOBODY, "nud", "permanent",
            "dev", device, where=where)

    def unmute(self, end):
        """What this end sends arrives again."""
        where, device, _ = self.ends[end]
        run("ip", "neigh", "del", self.ends[1 - end][2], "dev", device, where=where, check=False)
        run("ip", "neigh", "flush", "dev", device, where=where, check=False)

    def reset(self):
        """Breaks every connection over the cable: the other side is told so."""
        where, _, _ = self.ends[0]
        run("ss", "-K", "dst", self.ends[1][2], where=where, check=False)
        run("ss", "-K", "src", self.ends[0][2], where=where, check=False)

    def whole(self):
        """Mends everything."""
        for end in (0, 1):
            self.unmute(end)
            self.plug(end)


class Net:
    """The namespaces and cables."""

    def __init__(self):
        # A place for names that nobody else sees.
        run("mount", "-t", "tmpfs", "none", "/run")
        run("ip", "link", "set", "lo", "up")
        for where in ("gateway", "exchange"):
            run("ip", "netns", "add", where)
            run("ip", "link", "set", "lo", "up", where=where)
        self.cables = {
            "exchange": Cable("exchange", [("gateway", "x0", "10.77.1.1"), ("exchange", "x1", EXCHANGE)]),
            "bots": Cable("bots", [(None, "b0", "10.77.2.1"), ("gateway", "b1", GATEWAY)]),
        }
        # The harness looks at the exchange past the gateway; no fault touches this one.
        Cable("behind", [(None, "m0", "10.77.3.1"), ("exchange", "m1", BEHIND)])
        run("ip", "route", "add", f"{EXCHANGE}/32", "via", BEHIND)
        tried = run("tc", "qdisc", "add", "dev", "x0", "root", "netem", "loss", "1%", where="gateway", check=False)
        self.has_netem = tried.returncode == 0
        run("tc", "qdisc", "del", "dev", "x0", "root", where="gateway", check=False)

    def shake(self, cable, seconds, chance):
        """A bad line: packets get lost and late. Where the kernel cannot do that by itself, the
        cable goes mute in either direction for moments, so that systems send again."""
        end = time.monotonic() + seconds
        if self.has_netem:
            for where, device, _ in cable.ends:
                run("tc", "qdisc", "add", "dev", device, "root", "netem", "loss", "15%", "delay",
                    "40ms", "60ms", "duplicate", "2%", where=where)
            time.sleep(seconds)
            for where, device, _ in cable.ends:
                run("tc", "qdisc", "del", "dev", device, "root", where=where, check=False)
            return
        while time.monotonic() < end:
            side = chance.randrange(2)
            cable.mute(side)
            time.sleep(chance.uniform(0.02, 0.4))
            cable.unmute(side)
            time.sleep(chance.uniform(0.02, 0.3))


def seeded(seed):
    """The chance of a run."""
    return random.Random(seed)
