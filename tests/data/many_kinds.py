"""Features and tasks of many kinds, and columns for them whose later rows hold what the first ones do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import gatewise as gw

FEATURES = (
    gw.Numeric("amount"),
    gw.Numeric("logarithm", column="amount", transform="log"),
    gw.Numeric("level", column="amount", transform="quantile"),
    gw.Numeric("bins", column="amount", embedding=gw.PiecewiseLinear(bins=8)),
    gw.Sequence("tags", dim=2),
    gw.Events("past", ids=[gw.EventId("act", dim=2)], numbers=[gw.EventNumber("dwell")]),
)
TASKS = (
    gw.Regression("price"),
    gw.Regression("median", column="price", loss="mae"),
    gw.Multiclass("kind"),
    gw.Ordinal("stars"),
    gw.Count("count"),
    gw.LifetimeValue("value"),
    gw.Duration("seconds"),
)


def columns(rng: np.random.Generator, rows: int, late_from: int, most_ids: int) -> dict[str, Any]:
    """Return columns of these features and tasks, of ids, and of ``click`` and ``buy``, which contradict each other."""
    late = np.arange(rows) > late_from
    ends = np.concatenate([[0], np.cumsum(rng.integers(0, 3, rows))])
    return {
        "id": rng.zipf(1.3, rows).clip(max=most_ids),
        "amount": pa.array(rng.lognormal(3, 2, rows), mask=rng.random(rows) < 0.1 * late),
        "tags": rng.choice(["a|b", "", "c"], rows),
        "act": pa.ListArray.from_arrays(ends, rng.integers(0, 9, ends[-1])),
        "dwell": pa.ListArray.from_arrays(ends, rng.lognormal(1, 1, ends[-1])),
        "click": (rng.random(rows) < 0.3).astype(int),
        "buy": (rng.random(rows) < 0.1).astype(int),
        "price": pa.array(rng.normal(1e6, 3, rows), mask=rng.random(rows) < 0.2),
        # the classes that sort first come last
        "kind": np.where(late, rng.choice(["a", "b"], rows), rng.choice(["y", "z"], rows)),
        "stars": rng.integers(1, 4, rows) + 2 * late,
        "count": rng.poisson(3, rows),
        "value": np.where(rng.random(rows) < 0.5, 0.0, rng.lognormal(1, 1, rows)),
        "seconds": rng.exponential(30, rows),
    }
