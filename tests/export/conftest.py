"""A ranker of every kind of feature, exported once."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw

pytest.importorskip("onnxruntime", reason="pip install 'gatewise[export]'")
pytest.importorskip("onnxscript", reason="pip install 'gatewise[export]'")
ROWS = 400


def make_everything() -> pa.Table:
    """Return rows of a table that has every type of column, each with nulls."""
    rng = np.random.default_rng(0)
    user = rng.integers(0, 12, ROWS)

    def lists() -> list[list[int | None] | None]:
        drawn = [rng.integers(0, 12, rng.integers(0, 6)).tolist() for _ in range(ROWS)]
        return [None if rng.random() < 0.1 else [None if rng.random() < 0.1 else i for i in items] for items in drawn]

    def numbers() -> pa.Array:
        return pa.array(np.round(rng.lognormal(size=ROWS), 1), mask=rng.random(ROWS) < 0.1)

    length = rng.uniform(5, 60, ROWS)
    return pa.table(
        {
            "user": pa.array(user + 2**60, mask=rng.random(ROWS) < 0.1),
            "name": [None if i % 9 == 0 else f"<null>{'_' * (i % 3)}" for i in range(ROWS)],
            "tags": [None if i % 7 == 0 else "|".join("abc"[: i % 4]) for i in range(ROWS)],
            **{f"list_{kind}": lists() for kind in ("attention", "gru", "transformer", "max", "sum")},
            **{kind: numbers() for kind in ("standard", "log", "quantile", "bucket", "piecewise", "periodic")},
            "whole": pa.array(user),
            "vector": pa.array([None if i % 11 == 0 else rng.normal(size=3).tolist() for i in range(ROWS)]),
            "position": rng.integers(0, 5, ROWS),
            "length": pa.array(length, mask=rng.random(ROWS) < 0.1),
            "play": np.minimum(rng.lognormal(2 + user / 12), length),
            "click": (rng.random(ROWS) < 0.2 + user / 20).astype(int),
            "stars": 1000 * rng.normal(user),
        }
    )


def everything_schema() -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Categorical("user", dim=4),
            gw.Categorical("name", dim=3),
            gw.Categorical("hashed", dim=2, hash_buckets=10, column="name"),
            gw.Sequence("tags", dim=3, max_length=2, keep="first"),
            gw.Sequence("list_attention", shares="user", pooling=gw.Attention(target="user")),
            gw.Sequence("list_gru", dim=4, pooling=gw.GRU(dim=5), max_length=3),
            gw.Sequence("list_transformer", dim=4, pooling=gw.Transformer(heads=2), max_length=3, keep="last"),
            gw.Sequence("list_max", dim=3, pooling="max"),
            gw.Sequence("list_sum", dim=3, pooling="sum", hash_buckets=7),
            gw.Numeric("standard"),
            gw.Numeric("log", transform="log"),
            gw.Numeric("quantile", transform="quantile"),
            gw.Numeric("bucket", transform="bucket", buckets=5, dim=2),
            gw.Numeric("piecewise", embedding=gw.PiecewiseLinear(bins=4, dim=3)),
            gw.Numeric("periodic", embedding=gw.Periodic(frequencies=3, sigma=0.5, dim=2)),
            gw.Numeric("number", column="whole"),
            gw.Categorical("category", dim=2, column="whole"),
            gw.Vector("vector", 3),
            gw.Categorical("position", dim=2),
            gw.Numeric("longest", column="length"),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stars"), gw.Duration("play", limit="length")],
    )


EVERYTHING = make_everything()


@pytest.fixture(scope="session")
def everything() -> pa.Table:
    return EVERYTHING


@pytest.fixture(scope="session")
def ranker() -> gw.Ranker:
    """Return a ranker of every kind of feature; tests must not change it."""
    side = gw.SideTower(features=["position"])
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4], side=side)
    options = {"epochs": 1, "batch_size": 64, "lr": 0.02, "fusion": "click^0.5 * (0.2 + play / 5) + log(click)"}
    fitted = gw.Ranker(everything_schema(), model, **options).fit(EVERYTHING, progress=False)
    with warnings.catch_warnings():
        # its clicks are drawn by chance: no calibration does better than none
        warnings.simplefilter("ignore", gw.GatewiseWarning)
        return fitted.calibrate(EVERYTHING, "platt", tasks=["click"])
