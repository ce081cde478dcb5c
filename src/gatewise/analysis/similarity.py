"""Similarity of experts: linear CKA of their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.rows import drawn_rows, score_rows
from gatewise.analysis.tables import similarity_grids
from gatewise.grids import Grid, printed_as_tables
from gatewise.nn import Level, MultiTaskModel, TensorTable, hooked, levels_of


@printed_as_tables
class Similarity(NamedTuple):
    """The similarity of the outputs of one layer's experts.

    Attributes:
        layer: as in :class:`GateUsage`.
        experts: names of the experts.
        cka: ``[expert, expert]``, 0 to 1; 1 for outputs that differ by rotation and scale only; NaN for an expert whose
            output is equal in all rows.
        rows: the number of rows.
    """

    layer: str
    experts: tuple[str, ...]
    cka: np.ndarray
    rows: int

    def grids(self) -> list[Grid]:
        """Return the table that is printed, and shown in notebooks."""
        return similarity_grids([self])


def expert_similarity(
    model: MultiTaskModel, tasks: Sequence[str], table: TensorTable, *, rows: int = 10_000, seed: int = 0
) -> list[Similarity]:
    """Return the similarity of the experts of every level, on rows of a table.

    Args:
        model: with any trunk; a trunk without experts gives an empty list.
        tasks: names of the model's tasks.
        table: the rows.
        rows: the largest number of rows to draw.
        seed: of the draw.
    """
    levels = levels_of(model.trunk, tasks)
    drawn = drawn_rows(len(table), rows, seed)
    outputs = _outputs(model, levels, table, drawn)
    return [
        Similarity(level.name, level.expert_names, linear_cka(found).numpy(), len(drawn))
        for level, found in zip(levels, outputs, strict=True)
    ]


def _outputs(model: MultiTaskModel, levels: Sequence[Level], table: TensorTable, chosen: Tensor) -> list[Tensor]:
    """Return the outputs of each level's experts for the chosen rows, ``[row, expert, width]``."""
    parts: list[list[Tensor]] = [[] for _ in levels]

    def keep(found: list[Tensor], weights: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        found.append(outputs.float().cpu())
        return weights, outputs

    with ExitStack() as taps:
        for level, found in zip(levels, parts, strict=True):
            taps.enter_context(hooked(level, mixture=partial(keep, found)))
        score_rows(model, table, chosen)
    return [torch.cat(found) for found in parts]


def linear_cka(outputs: Tensor) -> Tensor:
    r"""Return the linear centred kernel alignment of every two experts.

    .. math::
        \mathrm{CKA}(X, Y) = \frac{\lVert Y^\top X \rVert_F^2}{\lVert X^\top X \rVert_F \, \lVert Y^\top Y \rVert_F}

    where X and Y are the outputs of two experts for the same rows, with columns centred. CKA does not change if an
    output is rotated (multiplied by an orthogonal matrix) or scaled.

    Shape:
        - outputs: ``[row, expert, width]``
        - output: ``[expert, expert]`` float64; NaN for an expert whose output is equal in all rows

    References:
        Kornblith et al.: Similarity of Neural Network Representations Revisited. ICML 2019.

    Example:
        >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> linear_cka(torch.stack([x, -2 * x.flip(1)], dim=1)).round(decimals=4).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    exact = outputs.double()
    centred = exact - exact.mean(dim=0)
    experts, width = outputs.shape[1:]
    flat = centred.flatten(1)
    # [expert, expert], the squared norms of all cross products
    products = (flat.T @ flat).view(experts, width, experts, width).square().sum(dim=(1, 3))
    # a centred constant output is not 0 but a rounding error
    varies = centred.square().sum(dim=(0, 2)) > 1e-12 * exact.square().sum(dim=(0, 2))
    norms = torch.where(varies, products.diagonal().sqrt(), torch.nan)
    return products / (norms.unsqueeze(1) * norms)
