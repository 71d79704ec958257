"""Strangers that subscribe to public streams without end: over many sockets, to streams that nobody else follows, to
some that do not exist, and away from them again, never waiting for an answer."""

import base64
import collections
import json
import os
import select
import socket
import ssl
import time
import urllib.parse

# The texts that are sent of one socket at a time, and the least time between two turns of the loop.
BATCH, TURN_S = 20, 0.01
READ_BYTES = 1 << 18
TELL_S = 0.5
# How soon a socket that was closed is opened again.
AGAIN_S = 0.2
STREAMS = ("btcusdt@depth@100ms", "btcusdt@bookTicker", "ethusdt@aggTrade", "nothing{}@trade", "ethusdt@kline_{}m")


class Line:
    """One socket."""

    def __init__(self, target, number):
        self.target, self.number, self.asked = target, number, 0
        self.counts = collections.Counter()
        self.socket, self.again = None, 0.0

    def connect(self):
        parts = urllib.parse.urlsplit(self.target["ws"])
        trust = ssl.create_default_context(cafile=self.target["ca"])
        plain = socket.create_connection((parts.hostname, parts.port), 5, source_address=("127.0.0.1", 0))
        self.socket = trust.wrap_socket(plain, server_hostname=parts.hostname)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET {parts.path}/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        status = self.socket.recv(READ_BYTES)[9:12]
        self.counts["sockets" if status == b"101" else "turned away"] += 1
        self.socket.setblocking(False)
        if status != b"101":
            raise ConnectionRefusedError
        self.out = b""

    def ask(self):
        """Puts wishes behind what is still to be sent."""
        for _ in range(BATCH):
            self.asked += 1
            method = "UNSUBSCRIBE" if self.asked % 4 == 0 else "SUBSCRIBE"
            one = STREAMS[self.asked % len(STREAMS)].format(self.number * 1000003 + self.asked)
            self.out += frame(json.dumps({"method": method, "params": [one], "id": self.asked}).encode())
        self.counts["sent"] += BATCH

    def move(self, now):
        """Sends and reads what can be without waiting."""
        if self.socket is None:
            if now < self.again:
                return
            self.connect()
        if not self.out:
            self.ask()
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
                self.counts["bytes heard"] += len(came)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass

    def close(self, now):
        if self.socket is not None:
            self.socket.close()
            self.counts["closed"] += 1
        self.socket, self.again = None, now + AGAIN_S


def frame(text):
    """A text as a client sends it: masked, with a mask of zeros."""
    length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + text


def flood(target, number, sockets, told):
    """Subscribes over so many sockets for ever, and tells what became of it every half second."""
    lines = [Line(target, number * sockets + n) for n in range(sockets)]
    tell = time.monotonic() + TELL_S
    while True:
        began = now = time.monotonic()
        for line in lines:
            try:
                line.move(now)
            except (OSError, ValueError):
                line.close(now)
        if now > tell:
            tell = now + TELL_S
            told(sum((line.counts for line in lines), collections.Counter()))
        open_ones = [line.socket for line in lines if line.socket is not None]
        left = TURN_S - (time.monotonic() - began)
        if left > 0:
            select.select(open_ones, [], [], left)
            time.sleep(max(0, TURN_S - (time.monotonic() - began)))
