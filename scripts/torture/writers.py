"""Two processes that replace one artefact time and again, and one that loads it.

    python scripts/torture/writers.py [seconds]

Every load must be one of the two models, whole. Prints one line for the exchange of names in one step, and one for
systems that have none.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import gatewise as gw

WRITER = """
import sys, time
import gatewise as gw
from gatewise.files import folders
if sys.argv[4] == "stepping aside":
    folders._exchange = lambda *_: False
ranker, stop, count = gw.load(sys.argv[1]), time.monotonic() + float(sys.argv[3]), 0
while time.monotonic() < stop:
    ranker.save(sys.argv[2])
    count += 1
print(count)
"""
ROWS = {"user": [1, 2, 3, 4] * 50, "click": [0, 1, 1, 0] * 50}


def race(folder: Path, seconds: float, way: str) -> Counter[str]:
    """Return how many saves and loads there were, and what the loads gave."""
    schema = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click")])
    expected = {}
    for seed, name in enumerate("ab"):
        ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, seed=seed).fit(ROWS)
        ranker.save(folder / name)
        expected[name] = ranker.predict(ROWS)
    place = folder / "model"
    ranker.save(place)
    found = Counter[str]()
    writers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WRITER, str(folder / name), str(place), str(seconds), way],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    while any(writer.poll() is None for writer in writers):
        found["loads"] += 1
        try:
            loaded = gw.load(place).predict(ROWS)
        except gw.GatewiseError:
            found["failed"] += 1
            continue
        which = [name for name, predicted in expected.items() if predicted == loaded]
        found[which[0] if which else "mixed"] += 1
    for writer in writers:
        found["saves"] += int(writer.communicate()[0])
    return found


if __name__ == "__main__":
    wanted = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    wrong = 0
    for how in ("in one step", "stepping aside"):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as place:
            seen = race(Path(place), wanted, how)
        wrong += seen["mixed"] + seen["failed"]
        print(
            f"{how}: {seen['saves']:,} saves and {seen['loads']:,} loads in {time.perf_counter() - started:.0f} s, "
            f"{seen['mixed']} mixed, {seen['failed']} failed"
        )
    sys.exit(bool(wrong))
