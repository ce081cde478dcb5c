"""A made-up log: users, items, times, lists as text, and columns that should not be features."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest


def make_log(rows: int = 4000, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 100, rows), rng.integers(0, 80, rows)
    price = rng.lognormal(3, 1.5, rows).round(2)
    liking = rng.normal(size=100)[user] + rng.normal(size=80)[item] - 0.3 * np.log(price)
    click = (liking + rng.logistic(size=rows) > 0) * 1
    purchase = click * (liking + rng.logistic(size=rows) > 0.5)
    tags = np.array(["a|b", "c", "b|c|d", "a"])[item % 4]
    when = np.sort(1_700_000_000 + rng.integers(0, 10 * 86_400, rows))
    return pa.table(
        {
            "row": np.arange(rows),
            "request_id": [f"r{row // 8}" for row in range(rows)],
            "user_id": user + 10_000_000_000,
            "item_id": item,
            "item_code": [f"i{each}" for each in item],
            "ts": when,
            "signup_date": [f"201{each % 10}-0{1 + each % 9}-11" for each in user.tolist()],
            "tags": tags,
            "embedding": pa.array(rng.normal(size=(rows, 3)).tolist(), pa.list_(pa.float32())),
            "age": pa.array(18.0 + user % 40, mask=user % 7 == 0),
            "price": price,
            "version": ["8.1"] * rows,
            "nothing": pa.nulls(rows),
            "title": [f"a fine product of make {each} which people like {n}" for n, each in enumerate(item.tolist())],
            "refund": pa.array(["size"] * rows, mask=(purchase == 0) | (rng.random(rows) < 0.5)),
            "dwell_ms": np.where(click == 1, rng.integers(100, 90_000, rows), 0),
            "click": click,
            "purchase": purchase,
        }
    )


@pytest.fixture(scope="session")
def log() -> pa.Table:
    return make_log()
