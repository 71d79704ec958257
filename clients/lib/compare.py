"""Compares what a scenario printed against the bare simulator and through Tidegate.

The two runs are against two exchanges at two moments. Everything that a scenario prints is equal
but for the fields named here: names and types of fields, states, quantities, flags, ids that the
caller chose, exception classes and codes.
"""

import json

# What may differ, each with the reason. Its type may not.
DIFFERS = {
    "price": "scenarios place orders relative to the market, which moves",
    "maxPrice": "a filter that follows the market",
}


def shape(value, key=""):
    """The value with what may differ replaced by its type."""
    if isinstance(value, dict):
        return {k: shape(v, k) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [shape(item, key) for item in value]
    if key in DIFFERS and value is not None:
        return "<number>" if isinstance(value, (int, float)) else f"<{type(value).__name__}>"
    return value


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip().startswith("{")]


def differences(bare_path, through_path):
    """One line a step that differs, and one if a run has more steps; empty when all are equal."""
    bare, through = lines(bare_path), lines(through_path)
    found = [
        f"{a.get('step')}: bare {json.dumps(shape(a)['value'])[:700]} | through {json.dumps(shape(b)['value'])[:700]}"
        for a, b in zip(bare, through) if shape(a) != shape(b)
    ]
    if len(bare) != len(through):
        found.append(f"{len(bare)} steps bare, {len(through)} through")
    return found or ([] if bare else ["no step was printed"])
