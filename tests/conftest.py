"""A small made-up feed: users and items with tastes, a click and a number of stars on every row."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

# several test processes share the cores: two threads each would wait for one another (read when torch is imported)
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from browsers import browser, open_page  # noqa: F401
from servers import password, postgresql, s3, s3_endpoint  # noqa: F401

USERS, ITEMS = 40, 30
LONGEST = ("test_torchrun", "test_cli", "test_cli_update", "test_recipes", "test_site")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes: a worker runs a whole file, and none is left alone at the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Leave the logger as it was: a test may call the command line."""
    logger = logging.getLogger("gatewise")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


def make_feed(rows: int = 2000, seed: int = 0) -> pa.Table:
    """Return rows of a feed whose labels follow from user, item, tags and price, with some labels missing."""
    rng = np.random.default_rng(seed)
    taste, appeal = np.random.default_rng(99).normal(size=USERS), np.random.default_rng(98).normal(size=ITEMS)
    user, item = rng.integers(0, USERS, rows), rng.integers(0, ITEMS, rows)
    price = rng.lognormal(size=rows)
    liking = taste[user] + appeal[item] - 0.5 * np.log(price)
    stars = 3 + liking + rng.normal(scale=0.5, size=rows)
    tags = np.array(["a", "b|c", "", "c"])[item % 4]
    return pa.table(
        {
            "user": user + 10_000_000_000,
            "item": pa.array([f"i{i}" for i in item]),
            "tags": pa.array(tags, mask=item % 7 == 0),
            "price": pa.array(price, mask=rng.random(rows) < 0.1),
            "click": pa.array((liking + rng.logistic(size=rows) > 0).astype(int), mask=rng.random(rows) < 0.1),
            "stars": pa.array(stars, mask=rng.random(rows) < 0.3),
            "when": np.arange(rows),
        }
    )


@pytest.fixture(scope="session")
def feed() -> pa.Table:
    return make_feed()


@pytest.fixture(scope="session")
def feed_schema() -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Categorical("user", dim=4),
            gw.Categorical("item", dim=4),
            gw.Sequence("tags", dim=2),
            gw.Numeric("price", transform="log"),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stars")],
    )


@pytest.fixture
def make_ranker(feed_schema: gw.Schema):
    """Return a small ranker of the feed; keyword arguments are training options."""

    def make(schema: gw.Schema | None = None, model: object = None, **options: object) -> gw.Ranker:
        model = model or gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
        return gw.Ranker(schema or feed_schema, model, **{"epochs": 2, "batch_size": 256, "lr": 0.02, **options})

    return make


@pytest.fixture(scope="session")
def fitted(feed: pa.Table, feed_schema: gw.Schema) -> gw.Ranker:
    """Return a ranker fitted once; tests must not change it."""
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(feed_schema, model, balance="uncertainty", epochs=6, batch_size=128, lr=0.02)
    return ranker.fit(feed.slice(0, 1500), feed.slice(1500))


@pytest.fixture(scope="session")
def shared_data():
    """Return a function that finds a folder of real data, beside the repository or in GATEWISE_DATA, or skips."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    home = Path(os.environ.get("GATEWISE_DATA", beside))

    def find(name: str) -> Path:
        if not (home / name).is_dir():
            pytest.skip(f"no real data in {home / name}; GATEWISE_DATA names the folder they are in")
        return home / name

    return find
