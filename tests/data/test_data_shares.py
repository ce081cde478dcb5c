"""Population stability: 0 for rows like the training's, large for others, whatever the kind of the feature."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Categorical, Numeric, Schema, Sequence
from gatewise.errors import ArtefactError

SCHEMA = Schema(
    features=[Categorical("city"), Categorical("town", shares="city"), Numeric("x"), Numeric("age", "none"),
              Categorical("bucket", hash_buckets=7), Sequence("tags")],
    tasks=[Binary("click")],
)  # fmt: skip


def table(seed: int, rows: int = 4000, shift: float = 0.0, first: int = 0, nulls: float = 0.0) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    city = [None if rng.random() < nulls else f"c{first + k}" for k in rng.integers(0, 40, rows) // 2]
    return {
        "city": city,
        "town": ["c1"] * rows,
        "x": rng.normal(shift, 1, rows),
        "age": rng.exponential(20, rows),
        "bucket": city,
        "tags": ["a|b"] * rows,
        "click": [0, 1] * (rows // 2),
    }


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    found, encoded = TableEncoder.fit(SCHEMA, table(0))
    found.learn_shares(encoded)
    return found


def psi(encoder: TableEncoder, rows: dict[str, object]) -> dict[str, float]:
    return encoder.stabilities(encoder.encode(rows, labels=False))


def test_rows_like_the_training_rows_are_stable_and_others_are_not(encoder: TableEncoder) -> None:
    alike = psi(encoder, table(1))
    assert alike.keys() == {"city", "town", "x", "age", "bucket", "tags"}
    assert max(alike.values()) < 0.03
    assert psi(encoder, table(2, shift=0.8))["x"] > 0.25
    assert psi(encoder, table(2, first=10))["city"] > 0.25
    assert psi(encoder, table(2, nulls=0.4))["city"] > 0.25
    assert psi(encoder, table(2, nulls=0.4))["bucket"] > 0.25
    assert psi(encoder, {**table(2), "tags": ["b|c"] * 4000})["tags"] > 0.25
    shifted = psi(encoder, table(2, shift=0.8))
    assert max(shifted["city"], shifted["age"]) < 0.03


def test_it_is_the_sum_over_bins(encoder: TableEncoder) -> None:
    rng = np.random.default_rng(3)
    encoded = encoder.encode({**table(3), "x": rng.normal(0.3, 1, 4000)}, labels=False)
    place = encoder.layout.floats.index("x")
    edges = [-np.inf, *encoder.shares["x"].edges, np.inf]
    now = np.histogram(encoded.floats[:, place], edges)[0] / 4000
    before = np.array(encoder.shares["x"].shares)
    expected = ((now - before) * np.log(now / before)).sum()
    assert encoder.stabilities(encoded)["x"] == pytest.approx(expected, rel=1e-3)


def test_values_are_known_by_name_after_rows_have_moved_to_others(encoder: TableEncoder) -> None:
    state = json.loads(json.dumps(encoder.state()))
    again = TableEncoder.from_state(SCHEMA, state)
    assert psi(again, table(4, shift=0.2)) == psi(encoder, table(4, shift=0.2))
    grown = encoder.extended({"city": ["new"] * 9, "town": [None] * 9, "bucket": ["n"] * 9, "tags": [None] * 9})
    assert psi(grown, table(4)) == psi(encoder, table(4))
    for wrong in ({"shares": [1.0]}, {"shares": [0.5, 0.6], "edges": [2.0, 1.0]}, {"shares": [2.0], "edges": []}, 3):
        with pytest.raises(ArtefactError, match="saved state does not fit"):
            TableEncoder.from_state(SCHEMA, {**state, "shares": {"x": wrong}})
