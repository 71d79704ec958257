"""What every Python scenario shares: where to trade, steps that print what they saw, refusals.

A scenario reads its target (the venue's object of `tidegate sim --json` or `tidegate demo --json`,
with the path of the certificate authority added) from the file named by `TARGET`, and prints one
JSON line a step. The same scenario runs against the bare simulator and through Tidegate; the lines
must be equal but for the fields that `compare.py` names.
"""

import asyncio
import json
import os
import re
import sys
import time

with open(os.environ["TARGET"]) as file:
    TARGET = json.load(file)

THROUGH_TIDEGATE = TARGET["gateway"]


def key_of(caller=None):
    """Key and secret of the caller that the target prints, or of another caller of the desk (see
    `targets.py`), who exists through Tidegate only."""
    return TARGET["others"][caller] if caller else {"key": TARGET["key"], "secret": TARGET["secret"]}


OTHERWISE = []


def step(name, value):
    """Prints what a step saw."""
    print(json.dumps({"step": name, "value": value}, default=str), flush=True)


def fields(value):
    """The names and types of what an answer is made of; of a list, its first element's."""
    if isinstance(value, dict):
        return {key: fields(part) for key, part in value.items()}
    if isinstance(value, list):
        return [fields(part) for part in value[:1]]
    if isinstance(value, str):
        return "number as text" if re.fullmatch(r"-?\d+(\.\d+)?([eE]-?\d+)?", value) else "text"
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def check(condition, what):
    """Stops the scenario when the state is not what the step should have caused."""
    if not condition:
        what = "\n".join([*OTHERWISE, what])
        print(json.dumps({"failed": what}), flush=True)
        sys.exit(f"failed: {what}")


def code_of(error):
    """The venue's code in a client's exception."""
    code = getattr(error, "code", None) or getattr(error, "error_code", None)
    if code is None:
        found = re.search(r'"code":\s*"?(-?\d+)', str(error)) or re.search(r"(-?\d{4,5})", str(error))
        code = found.group(1) if found else None
    return str(code) if code is not None else None


def tg_of(error):
    """Tidegate's own code in a client's exception, if it is Tidegate's own refusal."""
    found = re.search(r"TG\d{3}", str(error))
    return found.group(0) if found else None


def described(error):
    """A refusal as the client shows it."""
    return {"class": type(error).__name__, "code": code_of(error)}


def refused(name, call, *args, **kwargs):
    """A call that must be refused, in the same words by both targets."""
    try:
        call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the class is what is tested
        step(name, described(error))
        return error
    check(False, f"{name}: was not refused")
    return None


def refused_here(name, tg, cls, call, *args, **kwargs):
    """A call that Tidegate alone refuses: with this code of its own and this exception class."""
    try:
        call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001
        seen_here(name, tg, cls, error)
        return
    check(False, f"{name}: was not refused")


def seen_here(name, tg, cls, error):
    """Checks a refusal of Tidegate's own; what is otherwise is told by `done`, all at once."""
    seen = (tg_of(error), type(error).__name__)
    if seen != (tg, cls):
        OTHERWISE.append(f"{name}: wanted {(tg, cls)}, saw {seen}: {str(error)[:200]}")


def done():
    """Ends a scenario."""
    check(not OTHERWISE, "refused otherwise than it should")
    step("done", True)


async def refused_soon(name, call):
    """The same as `refused` for something to await."""
    try:
        await call
    except Exception as error:  # noqa: BLE001
        step(name, described(error))
        return error
    check(False, f"{name}: was not refused")
    return None


async def refused_here_soon(name, tg, cls, call):
    """The same as `refused_here` for something to await."""
    try:
        await call
    except Exception as error:  # noqa: BLE001
        seen_here(name, tg, cls, error)
        return
    check(False, f"{name}: was not refused")


async def soon(what, condition, seconds=10):
    """Waits until something to await holds; `condition` makes it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = await condition()
        if value:
            return value
        await asyncio.sleep(0.1)
    check(False, f"{what}: not within {seconds} s")
    return None


def until(what, condition, seconds=10):
    """Waits until a condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    check(False, f"{what}: not within {seconds} s")
    return None
