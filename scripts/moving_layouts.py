"""Made-up rows in the layouts of three public data sets that scripts of torch-rechub read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Rows by name, labels ``[row, label]``, and which columns are numbers.

    Attributes:
        x: ids and numbers by name.
        y: a conversion and a click, or two labels that do not depend on each other.
        dense: names of the numbers.
        user: names of the features of a user; the others are of an item.
    """

    x: dict[str, np.ndarray]
    y: np.ndarray
    dense: tuple[str, ...]
    user: tuple[str, ...]

    @property
    def sparse(self) -> list[str]:
        """Names of the ids."""
        return [name for name in self.x if name not in self.dense]

    def size(self, name: str) -> int:
        """Number of ids of a feature."""
        return int(self.x[name].max()) + 1

    def part(self, rows: slice) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return some rows and their labels."""
        return {name: values[rows] for name, values in self.x.items()}, self.y[rows]

    def split(self) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Return training, validation and test rows: 60%, 20%, 20%."""
        rows = len(self.y)
        bounds = [0, int(0.6 * rows), int(0.8 * rows), rows]
        return [self.part(slice(*pair)) for pair in pairwise(bounds)]


SHAPES: dict[str, dict[str, Any]] = {
    "ali_ccp": {
        "sparse": {"101": 900, "121": 90, "122": 14, "124": 3, "125": 7, "127": 4, "206": 300, "207": 60, "216": 700},
        "dense": ("D109_14", "D110_14", "D127_14", "D150_14", "D508", "D509", "D702", "D853"),
        "user": ("101", "121", "122", "124", "125", "127"),
        "rates": (0.3, 0.4),
    },
    "ali_express": {
        "sparse": {f"categorical_{i}": size for i, size in enumerate((11, 8, 50, 400, 900, 20, 30, 6))},
        "dense": tuple(f"numerical_{i}" for i in range(12)),
        "user": tuple(f"categorical_{i}" for i in range(4)),
        "rates": (0.3, 0.4),
    },
    "census": {
        "sparse": {"class worker": 9, "education": 17, "major industry": 24, "race": 5, "sex": 2, "state": 51},
        "dense": ("age", "wage per hour", "capital gains", "weeks worked in year"),
        "user": ("class worker", "education", "race", "sex"),
        "rates": (0.25, 0.4),
    },
}


def make(name: str, rows: int, seed: int = 0) -> Layout:
    """Return drawn rows, whose labels depend on ids and numbers; a conversion has a click before it."""
    shape, rng = SHAPES[name], np.random.default_rng(seed)
    drawn = np.random.default_rng(99)
    x: dict[str, np.ndarray] = {}
    scores = np.zeros((rows, 2))
    for feature, size in shape["sparse"].items():
        x[feature] = np.minimum((size * rng.power(0.6, rows)).astype(int), size - 1)
        scores += drawn.normal(size=(size, 2))[x[feature]] / len(shape["sparse"]) ** 0.5
    for feature in shape["dense"]:
        x[feature] = rng.uniform(size=rows)
        scores += (x[feature] - 0.5)[:, np.newaxis] * drawn.normal(size=2) * 4 / len(shape["dense"]) ** 0.5
    thresholds = [np.quantile(scores[:, i], 1 - rate) for i, rate in enumerate(shape["rates"])]
    y = (scores + rng.logistic(scale=0.5, size=scores.shape) > thresholds).astype(int)
    if name != "census":
        y[:, 0] &= y[:, 1]
    return Layout(x, y, shape["dense"], shape["user"])
