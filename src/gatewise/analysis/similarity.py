"""How alike experts are: linear CKA of their outputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Similarity(NamedTuple):
    """How alike the experts of one layer are, in what they give for the same rows.

    Attributes:
        layer: as in :class:`GateUsage`.
        experts: their names.
        cka: ``[expert, expert]``, 0 to 1; 1 where one output is the other turned and scaled; NaN where an expert's
            output is the same in all rows.
        rows: how many rows were looked at.
    """

    layer: str
    experts: tuple[str, ...]
    cka: np.ndarray
    rows: int
