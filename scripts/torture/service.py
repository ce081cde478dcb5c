"""A small service of made-up data, as a process of its own on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np

import gatewise as gw

ROWS = 600


def table() -> dict[str, list[Any]]:
    """Return rows with every kind of feature, nulls among them."""
    rng = np.random.default_rng(0)
    user = rng.integers(0, 20, ROWS)
    return {
        "user": user.tolist(),
        "country": [None if i % 7 == 0 else ["DE", "FR", "US", "CN"][i % 4] for i in range(ROWS)],
        "device": [f"d{i % 30}" for i in range(ROWS)],
        "price": [None if i % 5 == 0 else float(i % 13) for i in range(ROWS)],
        "tags": ["|".join("abcde"[: i % 5]) for i in range(ROWS)],
        "seen": [rng.integers(0, 20, i % 6).tolist() for i in range(ROWS)],
        "vector": rng.normal(size=(ROWS, 3)).tolist(),
        "click": (rng.random(ROWS) < 0.2 + user / 40).astype(int).tolist(),
        "stay": (user + rng.normal(size=ROWS)).tolist(),
    }


def schema() -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Categorical("user", dim=4),
            gw.Categorical("country", dim=4),
            gw.Categorical("device", dim=4, hash_buckets=16),
            gw.Numeric("price", transform="quantile"),
            gw.Sequence("tags", dim=4),
            gw.Sequence("seen", shares="user"),
            gw.Vector("vector", 3),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stay")],
    )


def save(folder: Path) -> Path:
    """Train and save a small model."""
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema(), model, epochs=1, batch_size=128, fusion="click * 2 + stay", seed=0)
    ranker.fit(table(), progress=False).save(folder / "model")
    return folder / "model"


class Service(NamedTuple):
    """A running service."""

    process: subprocess.Popen[bytes]
    url: str

    def memory(self) -> float:
        """Return the megabytes that its process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


@contextlib.contextmanager
def running(artefact: Path | None, *options: str) -> Iterator[Service]:
    """Serve an artefact, or what the options name, on a free port of 127.0.0.1 until the block is left."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "from gatewise.cli import main; main()"
    named = [] if artefact is None else [f"m={artefact}"]
    command = [sys.executable, "-P", "-c", program, "serve", *named, "--port", str(port), *options]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 300
    try:
        while True:
            try:
                if httpx.get(f"{url}/v2/health/ready", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the service did not start")
        yield Service(process, url)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
