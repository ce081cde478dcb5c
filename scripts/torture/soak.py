"""Ask a service for a long time, by several clients at once; its memory must be flat once it is warm.

python scripts/torture/soak.py --minutes 60
"""

from __future__ import annotations

import argparse
import collections
import random
import tempfile
import threading
import time
from pathlib import Path

import httpx
from mutations import GOOD, ROW, drawn
from service import Service, running, save

CLIENTS = 3
WARM = 0.25
"""Share of the time after which memory is to be flat."""
GROWTH = 1.1
"""So many times what it is when warm is no longer flat."""


def large(random_: random.Random) -> dict[str, object]:
    """Return rows whose strings and lists nobody has sent before."""
    some = [f"{random_.random():.15f}" * random_.choice((1, 20)) for _ in range(500)]
    return {"rows": [{**ROW, "device": one, "tags": f"{one}|{one[::-1]}", "seen": [1] * 20} for one in some]}


def ask(service: Service, until: float, seed: int, statuses: collections.Counter[int]) -> None:
    random_ = random.Random(seed)
    with httpx.Client(base_url=service.url, timeout=60) as client:
        while time.monotonic() < until:
            match random_.randrange(10):
                case 0:
                    answer = client.post("/predict", json=large(random_))
                case 1 | 2 | 3:
                    asked = drawn(random_)
                    answer = client.request(asked.method, asked.path, content=asked.body, headers=asked.headers)
                case _:
                    path = random_.choice([*GOOD])
                    answer = client.post(path, json=GOOD[path])
            statuses[answer.status_code] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    given = parser.parse_args()
    counts = [collections.Counter[int]() for _ in range(CLIENTS)]
    with tempfile.TemporaryDirectory() as folder, running(save(Path(folder)), "--no-admin") as service:
        started = time.monotonic()
        until = started + 60 * given.minutes
        clients = [threading.Thread(target=ask, args=(service, until, i, counts[i])) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        memory = []
        while time.monotonic() < until:
            memory.append(service.memory())
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
        for client in clients:
            client.join()
        alive = service.process.poll() is None
    statuses = sum(counts, collections.Counter[int]())
    failed = sum(count for status, count in statuses.items() if status >= 500)
    warm = max(memory[: max(1, int(WARM * len(memory)))])
    print(
        f"{given.minutes:g} minutes, {sum(statuses.values()):,} requests by {CLIENTS} clients: "
        f"{failed} answered with 5xx; memory {memory[0]:.0f} MB at the start, {warm:.0f} MB at most in the first "
        f"quarter, {max(memory):.0f} MB at most, {memory[-1]:.0f} MB at the end"
    )
    if failed or not alive or max(memory) > GROWTH * warm:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
