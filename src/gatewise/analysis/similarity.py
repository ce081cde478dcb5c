"""How alike experts are: linear CKA of their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gatewise.analysis.rows import drawn_rows, score_rows
from gatewise.nn import Level, MultiTaskModel, TensorTable, levels_of, tapped


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


def expert_similarity(
    model: MultiTaskModel, tasks: Sequence[str], table: TensorTable, *, rows: int = 10_000, seed: int = 0
) -> list[Similarity]:
    """Return how alike the experts of every level are in what they give for rows of a table.

    Args:
        model: with any trunk; one without experts has no similarity.
        tasks: names of its tasks.
        table: rows to look at.
        rows: how many are drawn from it at most.
        seed: of the draw.
    """
    levels = levels_of(model.trunk, tasks)
    outputs = _outputs(model, levels, table, drawn_rows(len(table), rows, seed))
    return [
        Similarity(level.name, level.expert_names, linear_cka(found).numpy(), len(found))
        for level, found in zip(levels, outputs, strict=True)
    ]


def _outputs(model: MultiTaskModel, levels: Sequence[Level], table: TensorTable, chosen: Tensor) -> list[Tensor]:
    """Return what the experts of each level give for the chosen rows, ``[row, expert, width]``."""
    parts: list[list[Tensor]] = [[] for _ in levels]

    def keep(found: list[Tensor], weights: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        found.append(outputs.float().cpu())
        return weights, outputs

    with ExitStack() as taps:
        for level, found in zip(levels, parts, strict=True):
            taps.enter_context(tapped(level, mixture=partial(keep, found)))
        score_rows(model, table, chosen)
    return [torch.cat(found) for found in parts]


def linear_cka(outputs: Tensor) -> Tensor:
    r"""Return the linear centred kernel alignment of every two experts.

    .. math::
        \mathrm{CKA}(X, Y) = \frac{\lVert Y^\top X \rVert_F^2}{\lVert X^\top X \rVert_F \, \lVert Y^\top Y \rVert_F}

    where X and Y are the outputs of two experts for the same rows, the mean of every column taken off. It does not
    change where an output is turned (by an orthogonal matrix) or scaled.

    Shape:
        - outputs: ``[row, expert, width]``
        - output: ``[expert, expert]`` float64; NaN where an expert gives the same for all rows

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
    # what is left of an output that does not vary is rounding
    varies = centred.square().sum(dim=(0, 2)) > 1e-12 * exact.square().sum(dim=(0, 2))
    norms = torch.where(varies, products.diagonal().sqrt(), torch.nan)
    return products / (norms.unsqueeze(1) * norms)
