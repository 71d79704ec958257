"""Compares what a scenario printed against the bare simulator and through Tidegate.

What may differ, and why: the two runs are against two exchanges at two moments, so whatever the
market or a clock made differs; ids are made by the side that serves. Everything else is equal:
fields, types, states, quantities, flags, exception classes, codes.
"""

import json
import re
import sys

DIFFERS = {
    "ids that the exchange numbers": r"(order_?id|algo_?id|trade_?id|matching_?id|actual_?order_?id|\bid|tran_?id|trade_?seq|user_?id|nonce|listen_?key|lastupdateid|change_?id|instrument_?id|order|usin|usout|usdiff|sid|fromid|toid)$",
    "ids that a client draws at random": r"(client_?order_?id|client_?algo_?id|orig_?client_?order_?id|label)$",
    "times": r"(time|timestamp|datetime|date|_at|transacttime|nextfundingtime|goodtilldate|expir\w*|since|now)$",
    "prices that the market made": r"(price|average|avg_?price|cost|bid|ask|last|open|close|high|low|mark|index|vwap|change|percentage|stop_?price|trigger_?price|entry\w*|break_?even\w*|liquidation\w*|limit|greeks|delta|iv|basis|interest\w*|premium|rate)$",
    "money that follows from those prices": r"(fee|fees|pnl|profit\w*|loss|balance|free|used|total|equity|margin\w*|\w*margin|notional|collateral|cum_?quote|quote_?qty|value|commission|funds|wallet\w*|unrealized\w*|realized\w*|maint\w*|leverage_?ratio)$",
    "what other traders do meanwhile": r"(bids|asks|volume|\w*volume|amounts?_on_book|count|size_on_book|trades_of_market|info)$",
    "tokens": r"(access_token|refresh_token|scope|expires_in)$",
}
PATTERNS = [re.compile(pattern, re.IGNORECASE) for pattern in DIFFERS.values()]


def shape(value, key=""):
    """The value with what may differ replaced by its type."""
    if isinstance(value, dict):
        return {k: shape(v, k) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [shape(item, key) for item in value]
    if any(pattern.search(key) for pattern in PATTERNS):
        if isinstance(value, bool) or value is None:
            return value
        return "<number>" if isinstance(value, (int, float)) else f"<{type(value).__name__}>"
    return value


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip().startswith("{")]


def main(bare_path, through_path):
    bare, through = lines(bare_path), lines(through_path)
    wrong = 0
    for a, b in zip(bare, through):
        if shape(a) != shape(b):
            wrong += 1
            print(f"differs: {a.get('step')}\n  bare:    {json.dumps(shape(a))[:2000]}\n"
                  f"  through: {json.dumps(shape(b))[:2000]}")
    if len(bare) != len(through):
        wrong += 1
        print(f"differs: {len(bare)} steps bare, {len(through)} through")
    print(f"compared {len(bare)} steps, {wrong} differ")
    return 1 if wrong or not bare else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
