"""Looks for the exchange's real keys where they must not be: in the memory of callers, bots and the
gateway, in logs and the data folder, and in what comes to a caller over the wire."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys

from scenario import TARGET, check, done, step

HERE = pathlib.Path(__file__).resolve().parent
CHUNK = 1 << 24


def needles():
    """The secrets behind the demo's accounts in every writing, and the ids of those keys."""
    secrets, ids = [], []
    for keys in json.loads(pathlib.Path(TARGET["real_keys"]).read_text()).values():
        for key in keys:
            if key["account"] in ("desk", "spare1") and key["scheme"] == "hmac":
                secret = key["secret"].encode()
                secrets += [secret, base64.b64encode(secret)[:-3], secret.hex().encode()]
                ids.append(key["key"].encode())
    check(len(secrets) >= 12, "the keys are known")
    return secrets, ids


def found_in(stream, wanted):
    """Which of the wanted bytes are in a stream."""
    found, tail = set(), b""
    while chunk := stream.read(CHUNK):
        both = tail + chunk
        found.update(needle for needle in wanted if needle in both)
        tail = both[-128:]
    return found


def found_in_memory(pid, wanted):
    """Which of the wanted bytes are in a process's memory."""
    found, read = set(), 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            start, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights[0] != "r" or "[v" in line:
                continue
            at, end, tail = int(start, 16), int(end, 16), b""
            while at < end:
                try:
                    memory.seek(at)
                    chunk = memory.read(min(CHUNK, end - at))
                except (OSError, ValueError):
                    break
                if not chunk:
                    break
                both = tail + chunk
                found.update(needle for needle in wanted if needle in both)
                tail, at, read = both[-128:], at + len(chunk), read + len(chunk)
    check(read > 1 << 20, f"the memory of {pid} could be read")
    return found


def found_in_folder(folder, wanted, without):
    """The files of a folder that have one of the wanted bytes, and how many were read."""
    bad, count = [], 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(path.is_relative_to(other) for other in without):
            continue
        count += 1
        with open(path, "rb") as file:
            if found_in(file, wanted):
                bad.append(str(path))
    return bad, count


def processes_of(parent):
    """The children of a process: pid and command line."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(status[1]) == parent:
            yield int(entry.name), [word.decode() for word in words if word]


def main():
    secrets, ids = needles()
    gateway, sim = TARGET["pids"]["gateway"], TARGET["pids"]["sim"]
    # The scan can see: the simulator, where the keys are at home, has them.
    check(found_in_memory(sim, secrets), "the simulator's memory shows its keys")

    wire = pathlib.Path(f"wire-{TARGET['venue']}")
    holder = subprocess.Popen([sys.executable, HERE / "holder.py"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env={**os.environ, "WIRE": str(wire)})
    try:
        check(holder.stdout.readline() == b"holding\n", "the client holds a session")
        virtual = TARGET["secret"].encode()
        check(found_in_memory(holder.pid, [*secrets, *ids, virtual]) == {virtual}, "the client knows its own key alone")
        step("client", True)
        demo = int(pathlib.Path(f"/proc/{gateway}/stat").read_text().rsplit(")", 1)[1].split()[1])
        bots = {words[-1]: pid for pid, words in processes_of(demo) if "bot" in words}
        check(set(bots) == {"maker", "trend", "hedger"}, f"the bots run: {bots}")
        for name, pid in bots.items():
            check(not found_in_memory(pid, secrets + ids), f"the memory of {name} has no real key")
        step("bots", sorted(bots))
        check(not found_in_memory(gateway, secrets), "the gateway's memory has no exchange secret")
        step("gateway", True)
    finally:
        holder.stdin.close()
        holder.wait(20)

    with open(wire, "rb") as bytes_of_wire:
        check(not found_in(bytes_of_wire, secrets + ids), "the wire has no real key")
    text = wire.read_bytes()
    check(text.count(b"HTTP/1.1 200") >= 8 and b"HTTP/1.1 101" in text, "the wire was recorded")
    check(not re.search(rb"(?i)content-encoding|permessage-deflate", text), "it could be read as it is")
    step("wire", True)

    data = pathlib.Path(TARGET["data_dir"])
    bad, count = found_in_folder(data, secrets, [data / "sim"])
    check(count > 8 and not bad, f"no file of the data folder has an exchange secret: {bad}")
    known = pathlib.Path(TARGET["real_keys"])
    bad, _ = found_in_folder(known.parent, secrets, [data, known.parent / "bare", known])
    bad = [path for path in bad if not path.endswith(".json")]
    check(not bad, f"no log has an exchange secret: {bad}")
    step("files", True)
    done()


main()
