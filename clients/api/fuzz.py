"""Schemathesis against a gateway: every operation of its OpenAPI document, signed by a stock library.

It asks the same each time, and what it finds must be what `findings-schemathesis.json` lists (docs/api/README.md says why each is
there): anything else fails. `ACCEPT=1` adds what is found to the list."""

import json
import os
import subprocess
import sys
import tempfile

TARGET = json.loads(os.environ.get("TIDEGATE_API") or sys.argv[1])

HOOKS = """
import hashlib, json, os, re, sys
sys.path.insert(0, {folder!r})
import schemathesis
from signing import Signature

target = json.loads(os.environ["TIDEGATE_API"])

schemathesis.auth.set_from_requests(Signature(target["key"], target["secret"]))


# A key is one request's. It uses those that it makes up for several, which is refused (422), as it is to be.
@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {{}}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[A-Za-z0-9._:/-]{{1,36}}", key):
        asked = [case.method, case.path, case.path_parameters, case.query, case.body]
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True, default=repr).encode()).hexdigest()
        case.headers["Idempotency-Key"] = key[:24] + digest[:12]
"""


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as hooks:
        hooks.write(HOOKS.format(folder=folder))
    words = ["schemathesis", "run", TARGET["gateway"] + "/v1/openapi.json", "--checks", "all",
             # What a method that is served nowhere is told is the listener's (docs/api/README.md).
             "--exclude-checks", "unsupported_method",
             "--max-examples", os.environ.get("EXAMPLES", "15"), "--generation-deterministic",
             "--rate-limit", "40/s", "--tls-verify", TARGET["ca"], "--no-color",
             "--baseline", os.path.join(folder, "findings-schemathesis.json")]
    if os.environ.get("ACCEPT"):
        words.append("--baseline-update")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks.name, "TIDEGATE_API": json.dumps(TARGET)}
    sys.exit(subprocess.run([os.path.join(os.path.dirname(sys.executable), words[0]), *words[1:]],
                            env=environment, check=False, cwd=tempfile.mkdtemp()).returncode)


main()
