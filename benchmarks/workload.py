"""The benchmark's data and models: rows shaped like Ali-CCP with labels from a planted model, in two sizes.

Ids are Zipf-distributed (exponent 1): a few values are frequent, most are rare. Both labels are drawn from logistic
models of all features, so the AUC of the probabilities that they were drawn with is the best that any model reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

VOCABULARIES: tuple[int, ...] = (240_000, 98, 14, 3, 8, 4, 4, 3, 5, 467_000, 6_900, 264_000)
VOCABULARIES += (80_000, 106, 43_000, 106, 43_000, 5_900, 51_000, 67_000, 6_800, 6_500, 4)
NUMBERS = 8
TASKS = ("click", "purchase")
RATES = (0.04, 0.007)
# how far one feature moves the log odds (standard deviation), and how alike it moves both tasks
EFFECT = 0.25
LIKENESS = 0.6


@dataclass(frozen=True)
class Workload:
    """Sizes of one model: MMoE with 8 experts, one tower layer, trained with Adam at 1e-3."""

    name: str
    dim: int
    expert_dims: tuple[int, ...]
    tower_dims: tuple[int, ...]
    batch_size: int
    experts: int = 8
    lr: float = 1e-3

    @property
    def input_dim(self) -> int:
        """Width of the dense vector that experts and gates read."""
        return self.dim * len(VOCABULARIES) + NUMBERS


W1 = Workload("W1", dim=4, expert_dims=(16,), tower_dims=(8,), batch_size=1024)
W2 = Workload("W2", dim=16, expert_dims=(256, 128), tower_dims=(64,), batch_size=4096)
WORKLOADS = {workload.name: workload for workload in (W1, W2)}


@dataclass(frozen=True)
class Rows:
    """Generated rows; ids and numbers lie column by column in memory.

    Shape:
        - ids: ``[row, 23]`` int64, counted from 0 in every column
        - numbers: ``[row, 8]`` float32
        - labels: ``[row, 2]`` float32, 0 or 1
        - probabilities: ``[row, 2]`` that the labels were drawn with
    """

    ids: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: slice) -> Rows:
        return Rows(self.ids[rows], self.numbers[rows], self.labels[rows], self.probabilities[rows])

    def columns(self) -> dict[str, np.ndarray]:
        """Return features and labels by name: c0 .. c22, d0 .. d7, click, purchase."""
        return self.features() | {task: self.labels[:, k] for k, task in enumerate(TASKS)}

    def features(self) -> dict[str, np.ndarray]:
        """Return the features by name."""
        ids = {f"c{i}": self.ids[:, i] for i in range(self.ids.shape[1])}
        return ids | {f"d{i}": self.numbers[:, i] for i in range(NUMBERS)}

    def relabelled(self) -> tuple[Rows, tuple[int, ...]]:
        """Return the rows with ids counted among those that occur, and how many occur in every column."""
        ids, sizes = np.empty_like(self.ids), []
        for column in range(ids.shape[1]):
            seen, ids[:, column] = np.unique(self.ids[:, column], return_inverse=True)
            sizes.append(len(seen))
        return Rows(ids, self.numbers, self.labels, self.probabilities), tuple(sizes)

    def save(self, folder: Path) -> None:
        """Write one .npy file an array."""
        for name, array in vars(self).items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path) -> Rows:
        """Read what :meth:`save` wrote."""
        return cls(**{name: np.load(folder / f"{name}.npy") for name in cls.__dataclass_fields__})


def make_rows(rows: int = 1_000_000, seed: int = 0, vocabularies: tuple[int, ...] = VOCABULARIES) -> Rows:
    """Draw rows; the planted model follows from the seed as well."""
    rng = np.random.default_rng(seed)
    numbers = np.asfortranarray(rng.standard_normal((rows, NUMBERS), dtype=np.float32))
    logits = numbers @ effects(rng, NUMBERS)
    ids = np.empty((rows, len(vocabularies)), dtype=np.int64, order="F")
    for column, size in enumerate(vocabularies):
        ids[:, column] = np.minimum((size + 1.0) ** rng.random(rows) - 1, size - 1)
        logits += effects(rng, size)[ids[:, column]]
    probabilities = np.stack([_at_rate(logits[:, k], rate) for k, rate in enumerate(RATES)], axis=1)
    labels = (rng.random(probabilities.shape) < probabilities).astype(np.float32)
    return Rows(ids, numbers, labels, probabilities)


def effects(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw what every value of a feature adds to both tasks' log odds: ``[value, 2]``."""
    common, own = rng.standard_normal((size, 1)), rng.standard_normal((size, len(TASKS)))
    mixed = np.sqrt(LIKENESS) * common + np.sqrt(1 - LIKENESS) * own
    return (EFFECT * mixed).astype(np.float32)


def _at_rate(logits: np.ndarray, rate: float) -> np.ndarray:
    """Shift log odds until their mean probability is the rate (bisection)."""
    low, high = -20.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(-(logits + middle)))).mean()
        low, high = (middle, high) if mean < rate else (low, middle)
    return 1 / (1 + np.exp(-(logits + low)))
