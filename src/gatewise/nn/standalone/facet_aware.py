"""Facet-aware mixture of experts on a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.embedding import check_ids
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.standalone.mmoe import Predictions
from gatewise.nn.texts import TextEncoder
from gatewise.nn.towers import make_towers
from gatewise.nn.trunks import FacetAwareMoE


class FacetAwareMoEModel(nn.Module):
    r"""Scores texts, or other sequences that a transformer reads, under a given facet.

    .. math:: y_k = h^k\!\left(\sum_{i=1}^{E} g_i(c) \, f_i(c + a)\right), \quad g(c) = \mathrm{softmax}(W c)

    where c is the encoder's pooled output and a the facet's embedding, as wide as c; see
    :class:`gatewise.nn.FacetAwareMoE`.

    Args:
        encoder: called as ``encoder(input_ids=..., attention_mask=...)``, it returns an object with
            ``last_hidden_state`` ``[batch, length, dim]``: any model of ``transformers``, such as
            ``AutoModel.from_pretrained("bert-base-uncased")``.
        num_facets: number of facets; their ids count from 0.
        encoder_dim: width of the encoder's outputs; None: ``hidden_size`` of its configuration.
        num_experts: number of experts.
        num_heads: number of heads per expert.
        expert_dim: output width of every expert, a multiple of ``num_heads``; None: as wide as the encoder's outputs.
        num_tasks: number of tasks.
        tower_hidden_dims: hidden widths of every tower.
        pooling: ``cls`` (the first token's output) or ``mean``.
        frozen: whether the encoder is not trained.
        dropout_rate: share of hidden units dropped in experts and towers in training.
        task_output_dims: number of outputs per task; None: one each.

    Shape:
        - input_ids, attention_mask ``[batch, length]``; facets ``[batch]``
        - output: a list of raw scores, one ``[batch, task_output_dims[k]]`` per task; with
          ``return_expert_weights=True`` also ``[batch, num_experts]``, whose rows sum to 1

    Raises:
        ShapeError: sizes do not fit each other, or a facet is out of range.

    Example:
        >>> from types import SimpleNamespace
        >>> class Words(nn.Embedding):
        ...     def forward(self, input_ids, attention_mask):
        ...         return SimpleNamespace(last_hidden_state=super().forward(input_ids))
        >>> model = FacetAwareMoEModel(Words(100, 16), num_facets=3, encoder_dim=16, num_experts=4)
        >>> ids = torch.randint(0, 100, (8, 12))
        >>> predictions, expert_weights = model(ids, torch.ones_like(ids), torch.zeros(8, dtype=torch.long), True)
        >>> predictions[0].shape, expert_weights.shape
        (torch.Size([8, 1]), torch.Size([8, 4]))
    """

    def __init__(
        self,
        encoder: nn.Module,
        num_facets: int,
        *,
        encoder_dim: int | None = None,
        num_experts: int = 8,
        num_heads: int = 4,
        expert_dim: int | None = None,
        num_tasks: int = 1,
        tower_hidden_dims: Sequence[int] = (64,),
        pooling: str = "cls",
        frozen: bool = False,
        dropout_rate: float = 0.1,
        task_output_dims: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        check_sizes(num_facets=num_facets, num_experts=num_experts, num_tasks=num_tasks)
        dim = encoder_dim or _width(encoder)
        self.text = TextEncoder(encoder, dim, pooling=pooling, frozen=frozen)
        self.facets = nn.Embedding(num_facets, dim)
        nn.init.normal_(self.facets.weight, std=0.02)
        self.trunk = FacetAwareMoE(
            2 * dim,
            num_tasks,
            facet=range(dim, 2 * dim),
            experts=num_experts,
            heads=num_heads,
            expert_dim=expert_dim or dim,
            hidden=Hidden(dropout=dropout_rate),
        )
        outputs = tuple(task_output_dims or [1] * num_tasks)
        self.towers = make_towers(
            num_tasks, self.trunk.output_dim, tower_hidden_dims, outputs, hidden=Hidden(dropout=dropout_rate)
        )

    @override
    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, facets: Tensor, return_expert_weights: bool = False
    ) -> Predictions | tuple[Predictions, Tensor]:
        """Return the raw scores per task and, with ``return_expert_weights``, the weights of the experts."""
        check_ids("facets", facets, self.facets.num_embeddings)
        content = self.text.read(input_ids.where(attention_mask.bool(), -1))
        hidden, gates, _ = self.trunk.mix(torch.cat([content, self.facets(facets)], dim=1))
        assert gates is not None
        predictions = list(self.towers(hidden).split(self.towers.output_dims, dim=1))
        return (predictions, gates[:, 0]) if return_expert_weights else predictions


def _width(encoder: Any) -> int:
    width = getattr(getattr(encoder, "config", None), "hidden_size", None)
    if not isinstance(width, int):
        raise ShapeError("encoder_dim: the encoder has no config.hidden_size, so its width has to be given")
    return width
