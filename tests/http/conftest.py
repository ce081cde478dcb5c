"""A service of two models, as a process of its own that is asked over HTTP."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import commands
import gatewise as gw
import servers

for package in ("fastapi", "uvicorn", "orjson", "prometheus_client", "onnxruntime", "onnxscript"):
    pytest.importorskip(package, reason="pip install 'gatewise[serve]'")

FUSION = "click^1.0 * (0.2 + stars/5)^0.5"
ITEM_COLUMNS = ["item", "tags", "price"]


class Shelf(NamedTuple):
    """What the tests serve.

    Attributes:
        first, second: rankers of one schema; the first one's scores are calibrated and fused.
        folder: holds both artefacts, called ``first`` and ``second``, and ``items.parquet``.
        cache: where exported models are kept.
    """

    first: gw.Ranker
    second: gw.Ranker
    folder: Path
    cache: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def items(feed: pa.Table) -> pa.Table:
    """Return one row an item of the feed."""
    known = {row["item"]: row for row in feed.select(ITEM_COLUMNS).to_pylist()}
    return pa.Table.from_pylist(list(known.values()), schema=feed.select(ITEM_COLUMNS).schema)


@pytest.fixture(scope="session")
def shelf(feed: pa.Table, feed_schema: gw.Schema, items: pa.Table, tmp_path_factory) -> Shelf:
    from gatewise.export import onnx_bytes
    from gatewise.http import exported

    folder = tmp_path_factory.mktemp("served")
    train, valid = feed.slice(0, 1500), feed.slice(1500)
    options = {"epochs": 2, "batch_size": 128, "lr": 0.02}
    mixture = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
    first = gw.Ranker(feed_schema, mixture, fusion=FUSION, **options).fit(train, valid).calibrate(valid)
    second = gw.Ranker(feed_schema, gw.SharedBottom(bottom_dims=[8], tower_dims=[4]), **options).fit(train, valid)
    cache = tmp_path_factory.mktemp("cache")
    for ranker, name in ((first, "first"), (second, "second")):
        ranker.save(folder / name)
        # services need not make them, each in a process of its own
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(cache))
            exported.keep(exported.digest(folder / name), onnx_bytes(ranker.scorer))
    pq.write_table(items, folder / "items.parquet")
    pq.write_table(valid, folder / "rows.parquet")
    return Shelf(first, second, folder, cache)


class Served(NamedTuple):
    """A running service."""

    process: commands.Command
    url: str
    client: httpx.Client

    def rank(self, expected: int = 200, **asked: object) -> dict:
        answer = self.client.post("/rank", json=asked)
        assert answer.status_code == expected, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def free_port():
    """Return a function that finds a port nobody listens on."""
    return servers.free_port


@pytest.fixture(scope="session")
def serving(shelf: Shelf):
    """Return a function that runs ``gatewise serve``, with some arguments, until a block is left."""
    return partial(_serving, shelf)


@contextmanager
def _serving(shelf: Shelf, *arguments: object, port: int | None = None) -> Iterator[Served]:
    port = port or servers.free_port()
    process = commands.start("serve", *arguments, "--port", port, env=shelf.environment())
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            _wait(process, client)
            yield Served(process, url, client)
    finally:
        process.kill()
        process.communicate()


def _wait(process: commands.Command, client: httpx.Client, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, process.stderr.read()
        try:
            if client.get("/v2/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service is not ready")


@pytest.fixture(scope="session")
def served(shelf: Shelf, serving) -> Iterator[Served]:
    """Return a service of both models; tests must leave its models as they are."""
    first, second = shelf.folder / "first", shelf.folder / "second"
    items = ("--items", shelf.folder / "items.parquet", "--item-key", "item", "--rows", shelf.folder / "rows.parquet")
    limits = ("--limit", "candidates=300", "--limit", "rows=500", "--limit", "body_bytes=200000")
    with serving(f"first={first}", f"second={second}", *items, *limits) as running:
        yield running
