"""Embeddings in eight bits."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from gatewise.export.twins import with_twins
from gatewise.kernels import Lookup
from gatewise.nn import EmbeddingTables, check_ids
from gatewise.serving import Scorer

LARGEST = 127


class Int8Tables(nn.Module):
    r"""Embedding tables of 8-bit integers and one scale per row: a quarter of the size and a little more.

    .. math:: e_r \approx s_r \, q_r, \qquad s_r = \frac{\max_j |e_{rj}|}{127}, \quad
        q_{rj} = \mathrm{round}\left(\frac{e_{rj}}{s_r}\right)

    Args:
        tables: the tables to round.

    Shape:
        - as :meth:`gatewise.nn.EmbeddingTables.look_up`
    """

    def __init__(self, tables: EmbeddingTables) -> None:
        super().__init__()
        self.fields, self.offsets = tables.fields, tables.offsets
        for matrix, weights in tables.weights.items():
            weight = weights.detach()
            scale = weight.abs().amax(dim=1, keepdim=True) / LARGEST
            # a row of zeros stays a row of zeros
            whole = (weight / scale.where(scale > 0, 1.0)).round().to(torch.int8)
            self.register_buffer(f"whole_{matrix}", whole)
            self.register_buffer(f"scale_{matrix}", scale)

    def is_apart(self, device: torch.device) -> bool:  # noqa: ARG002
        """Whether rows must be fetched first, see :meth:`gatewise.nn.EmbeddingTables.is_apart`: never."""
        return False

    def check(self, field: int, ids: Tensor, name: str = "", lowest: int = 0) -> None:
        """Refuse ids outside their table, see :meth:`gatewise.nn.EmbeddingTables.check`."""
        check_ids(name or self.fields[field].name, ids, self.fields[field].rows, lowest)

    def look_up(self, matrix: str, lookup: Lookup, beside: Tensor | None = None) -> Tensor:
        """Return rows side by side, zeros for padding, followed by ``beside``."""
        padding = lookup.ids < 0
        rows = torch.where(padding, 0, lookup.rows)
        whole, scale = (nn.functional.embedding(rows, getattr(self, f"{part}_{matrix}")) for part in ("whole", "scale"))
        vectors = (whole.float() * scale).masked_fill(padding.unsqueeze(2), 0).flatten(1)
        return vectors if beside is None else torch.cat([vectors, beside], dim=1)


def with_int8_embeddings(scorer: Scorer) -> Scorer:
    """Return a scorer whose embeddings are rounded; other weights are shared, and the given scorer does not change."""
    model = with_twins(
        scorer.model, lambda module: Int8Tables(module) if isinstance(module, EmbeddingTables) else module
    )
    return replace(scorer, model=model)
