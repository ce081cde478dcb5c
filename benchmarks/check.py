"""Guards training speed: fails when ours is no longer many times faster than torch-rechub on W1.

python benchmarks/check.py
"""

from __future__ import annotations

import argparse
import sys
from statistics import median

from contestants import OURS, RECHUB
from race import race
from reporting import digits, say, spread
from workload import W1, make_rows

LEAST = 12.0
ROUNDS = 5
ROWS = {OURS: 300_000, RECHUB: 60_000}


def ratios(rounds: int, scale: float) -> tuple[list[float], str]:
    """Return how many times faster ours trains, round by round, and how busy others kept the machine.

    Raises:
        RuntimeError: a contestant could not take part.
    """
    counts = {name: int(scale * rows) for name, rows in ROWS.items()}
    say(f"{W1.name}: {max(counts.values()):,} rows are drawn")
    with race(W1, make_rows(max(counts.values())), counts) as running:
        for turn in range(1, rounds + 1):
            running.run_round(f"round {turn}/{rounds}")
        if running.failures:
            raise RuntimeError(
                "; ".join(f"{name} could not take part: {why}" for name, why in running.failures.items())
            )
        return running.ratios(OURS, RECHUB), running.company()


def main() -> str | None:
    """Return what is wrong in one sentence, or None."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--least", type=float, default=LEAST, help="the median ratio that passes")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual rows")
    given = parser.parse_args()
    try:
        found, company = ratios(given.rounds, given.scale)
    except RuntimeError as error:
        return f"bench-check: {error}"
    if median(found) < given.least:
        return (
            f"bench-check: on {W1.name} {OURS} trains only {spread(found)} times as fast as {RECHUB}, "
            f"expected at least {digits(given.least)} times (median of {given.rounds} rounds; {company})"
        )
    say(f"on {W1.name} {OURS} trains {spread(found)} times as fast as {RECHUB}; {digits(given.least)} are required")
    return None


if __name__ == "__main__":
    sys.exit(main())
