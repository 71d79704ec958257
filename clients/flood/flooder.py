"""A caller that asks more than is served: signed requests, one behind another on many connections, by one process
that never waits for an answer before it asks again."""

import collections
import hmac
import os
import select
import socket
import ssl
import time
import urllib.parse

# The most that is sent of one connection at a time, and the least time between two turns of the loop.
BATCH, TURN_S = 50, 0.005
READ_BYTES = 1 << 18
# What the gateway answers itself, so that it is not the exchange's limits that are measured: a read of what it
# knows, and an order that the callers of a flood are not granted, which goes through the core and the journal.
ASKED = (("GET", "/fapi/v1/premiumIndex", "symbol=BTCUSDT"),
         ("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=0.002&price=20000"))


class Line:
    """One connection of one key: what is still to be sent, and how many answers are owed."""

    def __init__(self, target, keys, number):
        self.target, self.keys, self.number = target, keys, number
        self.counts = collections.Counter()
        self.connect()

    def connect(self):
        parts = urllib.parse.urlsplit(self.target["rest"])
        trust = ssl.create_default_context(cafile=self.target["ca"])
        plain = socket.create_connection((parts.hostname, parts.port), 15, source_address=("127.0.0.1", 0))
        self.socket = trust.wrap_socket(plain, server_hostname=parts.hostname)
        self.socket.setblocking(False)
        self.path, self.out, self.heard, self.owed = parts.path, b"", b"", 0

    def ask(self, count):
        """Puts so many requests behind what is still to be sent."""
        now, made = int(time.time() * 1000), []
        for _ in range(count):
            # No two signatures are the same, or the second would be a request that was sent again.
            self.number += 1
            method, path, params = ASKED[self.number % len(ASKED)]
            text = f"{params}&recvWindow={5000 + self.number % 50000}&timestamp={now}"
            signed = hmac.digest(self.keys["secret"].encode(), text.encode(), "sha256").hex()
            made.append(f"{method} {self.path}{path}?{text}&signature={signed} HTTP/1.1\r\n"
                        f"Host: localhost\r\nX-MBX-APIKEY: {self.keys['key']}\r\nContent-Length: 0\r\n\r\n")
        self.out += "".join(made).encode()
        self.owed += count
        self.counts["sent"] += count

    def move(self):
        """Sends and reads what can be without waiting."""
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out):]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        try:
            while True:
                came = self.socket.recv(READ_BYTES)
                if not came:
                    raise ConnectionResetError
                self.heard += came
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        self.take()

    def take(self):
        """Counts the answers that are whole, by their status."""
        begin = 0
        while (end := self.heard.find(b"\r\n\r\n", begin)) >= 0:
            head = self.heard[begin:end].lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) if b"content-length: " in head else 0
            if len(self.heard) < end + 4 + length:
                break
            self.counts[int(head[9:12])] += 1
            self.owed -= 1
            begin = end + 4 + length
        self.heard = self.heard[begin:]


def flood(target, keys, connections, told, rate=None, window=8, seconds=3600):
    """Asks over `connections` connections, each with one of the `keys`: `rate` requests a second, whatever is
    answered; or without one as many as are answered, `window` at a time on each connection. Tells what became of
    them every half second, and at the end, by `told`."""
    # Connections first: what is due is due from when they are there.
    lines = [Line(target, keys[n % len(keys)], os.getpid() * 1000003 + n * 7919) for n in range(connections)]
    counts, due, at = collections.Counter(), 0.0, time.monotonic()
    began, until, tell = at, at + seconds, at + 0.5
    while (now := time.monotonic()) < until:
        due, at = due + (rate or 0) * (now - at), now
        share, most = int(due / connections), collections.Counter()
        due -= share * connections
        for line in lines:
            most["due"] += share
            # What a connection does not take now is due no longer: it waits for no answer, and sends no backlog.
            room = min(share, BATCH) if rate else window - line.owed
            try:
                if room > 0 and not line.out:
                    line.ask(room)
                line.move()
            except (OSError, ValueError):
                most["closed"] += 1
                try:
                    line.connect()
                except OSError:
                    line.out, line.owed = b"", 0
        counts += most
        if now > tell:
            tell = now + 0.5
            told(summed(lines, counts, now - began))
        pause(lines, now)
    told(summed(lines, counts, seconds))


def summed(lines, counts, took):
    """What became of it until now, and how many seconds it took."""
    return sum((line.counts for line in lines), counts) + collections.Counter(took=took)


def answered(counts):
    """How many requests had an answer, of whatever kind."""
    return sum(count for status, count in counts.items() if isinstance(status, int))


def pause(lines, began):
    """Until the loop's next turn; until something came, when nothing is due sooner."""
    left = TURN_S - (time.monotonic() - began)
    if left > 0:
        select.select([line.socket for line in lines if line.socket.fileno() >= 0], [], [], left)
        time.sleep(max(0, TURN_S - (time.monotonic() - began)))
