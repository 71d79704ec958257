"""Installs the pinned clients into `clients/.cache` and `node_modules`, once per set of versions."""

import hashlib
import os
import pathlib
import subprocess
import sys

CLIENTS = pathlib.Path(__file__).resolve().parent.parent
CACHE = CLIENTS / ".cache"


def python(wanted=CLIENTS / "requirements.txt"):
    """The interpreter that has the Python clients."""
    folder = CACHE / ("venv-" + digest(wanted))
    interpreter = folder / "bin" / "python"
    done = folder / "done"
    if not done.exists():
        run([sys.executable, "-m", "venv", "--clear", folder])
        run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--no-deps", "-r", wanted])
        done.touch()
    return interpreter


def node(name):
    """Makes sure that a folder's JavaScript clients are there."""
    folder = CLIENTS / name
    done = folder / "node_modules" / (".done-" + digest(folder / "package-lock.json"))
    if not done.exists():
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=folder)
        done.touch()
    return "node"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def run(command, **options):
    CACHE.mkdir(exist_ok=True)
    print(f"installing: {' '.join(str(word) for word in command[:4])} …", file=sys.stderr, flush=True)
    subprocess.run([os.fspath(word) for word in command], check=True, stdout=sys.stderr, **options)
