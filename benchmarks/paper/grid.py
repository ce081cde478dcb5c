"""The settings of the map, of the paper's figures and of the remedies."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from models import KINDS
from setting import Setting

COSINES = (0.5, 0.9, 1.0)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
BATCHES = (32, 128)
ROWS = (None, 10_000)
SETS: tuple[tuple[str, ...], ...] = (
    (),
    ("expert_norm",),
    ("cosine",),
    ("expert_norm", "cosine"),
    ("zero_init",),
    ("gate_dropout",),
    ("zero_init", "cosine"),
    ("expert_norm", "zero_init", "cosine"),
)
"""Remedies that are tried together."""
PROVEN = 4
"""So many of the sets are tried with all seeds; the others with few, to see whether they promise more."""
FEW = 25


@dataclass(frozen=True)
class Grid:
    """What is run.

    Attributes:
        settings: of the map, in the order in which they are run.
        figures: all kinds of models at the cosines of the paper, where the outcome is most like the paper's.
        regions: where plain MMoE fails; in each, MMoE with every set of remedies.
    """

    settings: tuple[Setting, ...]
    figures: tuple[Setting, ...]
    regions: tuple[tuple[Setting, ...], ...]

    @property
    def parts(self) -> list[Setting]:
        """All that is run: the map, then the first seeds of everything else before further ones."""
        many = dict.fromkeys((*self.figures, *itertools.chain(*self.regions)))
        further = [part for setting in many for part in setting.parts]
        return [*self.settings, *sorted(further, key=lambda part: part.first)]


def grid(steps: int = 3000, seeds: int = 16, many: int = 200) -> Grid:
    """Return the whole grid: few seeds of every point of the map, many where figures must be exact."""
    # the paper's middle first: a map that is cut short still has all models side by side
    order = sorted(COSINES, key=(0.5, 1.0, 0.9).index)
    settings = tuple(
        Setting(kind, cosine, lr, batch, rows, steps, seeds)
        for cosine, rows, batch, lr, kind in itertools.product(order, ROWS, BATCHES, RATES, KINDS)
    )
    like_the_paper = Setting("mmoe", 0.5, 2e-2, 128, None, steps // 3, many)
    figures = tuple(
        replace(like_the_paper, kind=kind, cosine=cosine) for cosine, kind in itertools.product(order, KINDS)
    )
    noisy = replace(like_the_paper, lr=1e-2, batch=32, steps=steps)
    return Grid(settings, figures, (_region(like_the_paper), _region(noisy)))


def _region(plain: Setting) -> tuple[Setting, ...]:
    """Return MMoE with every set of remedies."""
    few = min(FEW, plain.seeds)
    return tuple(
        replace(plain, remedies=remedies, seeds=plain.seeds if place < PROVEN else few)
        for place, remedies in enumerate(SETS)
    )
