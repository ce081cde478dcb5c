"""The settings of the map, of the curves and of the remedies."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from models import KINDS, REMEDIES
from setting import Setting

COSINES = (0.5, 0.9, 1.0)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
BATCHES = (32, 128)
ROWS = (None, 10_000)
ALL_REMEDIES = (*REMEDIES, "cosine_lr")
SETS = (
    (),
    *((remedy,) for remedy in ALL_REMEDIES),
    ("expert_norm", "cosine_lr"),
    ("expert_norm", "zero_init", "cosine_lr"),
    ALL_REMEDIES,
)
"""Remedies that are tried together."""


@dataclass(frozen=True)
class Grid:
    """What is run.

    Attributes:
        settings: of the map, in the order in which they are run.
        remedies: MMoE with each remedy, with several, and without, where plain runs fail.
    """

    settings: tuple[Setting, ...]
    remedies: tuple[Setting, ...]


def grid(steps: int, seeds: int) -> Grid:
    """Return the whole grid."""
    # the paper's middle first: a map that is cut short still has all models side by side
    order = sorted(COSINES, key=(0.5, 1.0, 0.9).index)
    settings = tuple(
        Setting(kind, cosine, lr, batch, rows, steps, seeds)
        for cosine, rows, batch, lr, kind in itertools.product(order, ROWS, BATCHES, RATES, KINDS)
    )
    plain = Setting("mmoe", 0.5, 1e-2, 32, None, steps, seeds)
    remedies = tuple(replace(plain, lr=lr, remedies=chosen) for lr in (1e-2, 3e-2) for chosen in SETS)
    return Grid(settings, remedies)
