"""MMoE on users and items."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField
from gatewise.nn.embedding import EmbeddingTables
from gatewise.nn.gates import AnyGates, SoftmaxGates
from gatewise.nn.layers import check_sizes
from gatewise.nn.standalone.mmoe import MMoEModel, Predictions


class MMoERecommendationModel(MMoEModel):
    """MMoE on a user embedding, an item embedding and dense features.

    Args:
        user_cardinality: number of users; ids are 0 to ``user_cardinality - 1``.
        item_cardinality: number of items.
        embedding_dim: width of both embeddings.
        num_dense_features: width of the dense features; 0: none.
        num_experts: this and all further arguments as in :class:`MMoEModel`.

    Shape:
        - user_ids, item_ids ``[batch]``; dense_features ``[batch, num_dense_features]``
        - output: as :class:`MMoEModel`

    Raises:
        ShapeError: an id is out of range (names the feature), or dense features have another width.

    Example:
        >>> model = MMoERecommendationModel(user_cardinality=100, item_cardinality=500, num_dense_features=8)
        >>> users, items = torch.randint(0, 100, (32,)), torch.randint(0, 500, (32,))
        >>> [y.shape for y in model(users, items, torch.randn(32, 8))]
        [torch.Size([32, 1]), torch.Size([32, 1])]
    """

    def __init__(
        self,
        user_cardinality: int,
        item_cardinality: int,
        embedding_dim: int = 64,
        num_dense_features: int = 0,
        num_experts: int = 3,
        num_tasks: int = 2,
        expert_hidden_dims: Sequence[int] = (128, 64),
        gate_hidden_dims: Sequence[int] | None = None,
        tower_hidden_dims: Sequence[int] | Sequence[Sequence[int]] = (64, 32),
        dropout_rate: float = 0.1,
        task_output_dims: Sequence[int] | None = None,
        *,
        experts: Sequence[nn.Module] | None = None,
        gate: AnyGates | Sequence[AnyGates] = SoftmaxGates,
    ) -> None:
        check_sizes(user_cardinality=user_cardinality, item_cardinality=item_cardinality, embedding_dim=embedding_dim)
        super().__init__(
            2 * embedding_dim + num_dense_features,
            num_experts,
            num_tasks,
            expert_hidden_dims,
            gate_hidden_dims,
            tower_hidden_dims,
            dropout_rate,
            task_output_dims,
            experts=experts,
            gate=gate,
        )
        self.num_dense_features = num_dense_features
        fields = [
            EmbeddingField("user_ids", user_cardinality, embedding_dim, reserved=0),
            EmbeddingField("item_ids", item_cardinality, embedding_dim, reserved=0),
        ]
        self.embeddings = EmbeddingTables(fields)

    @override
    def forward(  # type: ignore[override]
        self,
        user_ids: Tensor,
        item_ids: Tensor,
        dense_features: Tensor | None = None,
        return_expert_weights: bool = False,
    ) -> Predictions | tuple[Predictions, list[Tensor]]:
        """Return the raw scores per task and, with ``return_expert_weights``, the expert weights per task."""
        found = 0 if dense_features is None else dense_features.shape[-1]
        if found != self.num_dense_features:
            raise ShapeError(f"dense_features: expected width {self.num_dense_features}, found {found}")
        parts = [self.embeddings(0, user_ids), self.embeddings(1, item_ids)]
        x = torch.cat(parts if dense_features is None else [*parts, dense_features], dim=1)
        return super().forward(x, return_expert_weights)
