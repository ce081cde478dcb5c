"""Send a service requests that nobody should send; none may be answered with 5xx.

python scripts/torture/requests.py --count 20000
"""

from __future__ import annotations

import argparse
import collections
import random
import tempfile
import time
from pathlib import Path

import httpx
from mutations import drawn
from service import running, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="how many requests")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    given = parser.parse_args()
    random_, statuses, failed = random.Random(given.seed), collections.Counter[int](), []
    with tempfile.TemporaryDirectory() as folder, running(save(Path(folder)), "--no-admin") as service:
        started, before, slowest = time.monotonic(), service.memory(), 0.0
        with httpx.Client(base_url=service.url, timeout=30) as client:
            for place in range(given.count):
                asked = drawn(random_)
                began = time.monotonic()
                answer = client.request(asked.method, asked.path, content=asked.body, headers=asked.headers)
                slowest = max(slowest, time.monotonic() - began)
                statuses[answer.status_code] += 1
                if answer.status_code >= 500:
                    failed.append(place)
                    print(f"request {place}: {answer.status_code} {answer.text[:200]}", flush=True)
        seconds, after = time.monotonic() - started, service.memory()
        alive = service.process.poll() is None
    listed = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    print(
        f"{given.count:,} fuzzed requests in {seconds:.0f} s: {len(failed)} answered with 5xx, slowest {slowest:.2f} s,"
        f" memory {before:.0f} -> {after:.0f} MB ({listed})"
    )
    if failed or not alive:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
