"""Who uses whom: the gates' weights over a table and its slices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class GateUsage(NamedTuple):
    r"""How the gates of one layer weigh its experts in some rows.

    A row's entropy is :math:`-\sum_i g_i \log g_i`, in nats: 0 where one expert counts, log E where all E count alike.

    Attributes:
        layer: which layer, where experts follow one another: ``"level 1"`` ...; of a trunk with one, ``"experts"``.
        column: the column that the rows were cut by, None for all rows.
        value: which slice, None for all rows.
        rows: how many rows.
        gates: what each gate is for: the tasks; in a lower layer other units, such as ``"shared"``, too.
        experts: their names, such as ``"expert 0"``, or ``"click 0"`` and ``"shared 1"`` where they have owners.
        weights: ``[gate, expert]``, the mean weight; rows sum to 1.
        entropy: ``[gate]``, the mean entropy of a row's weights.
        relative_entropy: ``[gate]``, the same as a share of log E, E being the experts that the gate reaches; 0 where
            it reaches one.
        utilisation: ``[gate, expert]``, the share of rows in which the expert's weight is the largest; sums to 1.
        reached: ``[gate, expert]`` bool, the experts that the gate reaches at all.
    """

    layer: str
    column: str | None
    value: str | None
    rows: int
    gates: tuple[str, ...]
    experts: tuple[str, ...]
    weights: np.ndarray
    entropy: np.ndarray
    relative_entropy: np.ndarray
    utilisation: np.ndarray
    reached: np.ndarray
