"""MMoE as one module, for people who have tensors and want no schema: the layers of the paper, nothing around them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField
from gatewise.nn.embedding import EmbeddingTables
from gatewise.nn.layers import check_sizes
from gatewise.nn.towers import Towers
from gatewise.nn.trunks import MMoE

Predictions = list[Tensor]


class MMoEModel(nn.Module):
    r"""Multi-gate mixture-of-experts on a dense input.

    .. math:: y_k = h^k\!\left(\sum_{i=1}^{E} g^k(x)_i f_i(x)\right), \quad g^k(x) = \mathrm{softmax}(W_k x)

    Args:
        input_dim: width of the input.
        num_experts: how many experts.
        num_tasks: how many tasks.
        expert_hidden_dims: hidden widths of every expert.
        gate_hidden_dims: hidden widths of every gate; None: linear.
        tower_hidden_dims: hidden widths of every tower.
        dropout_rate: share of hidden units dropped in experts and towers in training.
        task_output_dims: outputs of each task; None: one each.

    Shape:
        - input ``[batch, input_dim]``
        - output: a list with one ``[batch, task_output_dims[k]]`` a task, raw scores: apply ``sigmoid`` for a
          probability; with ``return_expert_weights=True`` also a list with one ``[batch, num_experts]`` a task, whose
          rows sum to 1

    Example:
        >>> model = MMoEModel(input_dim=128, num_experts=3, num_tasks=2)
        >>> predictions, expert_weights = model(torch.randn(32, 128), return_expert_weights=True)
        >>> len(predictions), predictions[0].shape, expert_weights[1].shape
        (2, torch.Size([32, 1]), torch.Size([32, 3]))

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    def __init__(
        self,
        input_dim: int,
        num_experts: int = 3,
        num_tasks: int = 2,
        expert_hidden_dims: Sequence[int] = (128, 64),
        gate_hidden_dims: Sequence[int] | None = None,
        tower_hidden_dims: Sequence[int] = (64, 32),
        dropout_rate: float = 0.1,
        task_output_dims: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_experts=num_experts, num_tasks=num_tasks)
        output_dims = tuple(task_output_dims or [1] * num_tasks)
        if len(output_dims) != num_tasks:
            raise ShapeError(f"task_output_dims: expected {num_tasks} entries, one a task, found {len(output_dims)}")
        self.input_dim = input_dim
        self.trunk = MMoE(
            input_dim,
            num_tasks,
            experts=num_experts,
            expert_dims=tuple(expert_hidden_dims),
            gate_dims=tuple(gate_hidden_dims or ()),
            dropout=dropout_rate,
        )
        self.towers = Towers(
            num_tasks, self.trunk.output_dim, tuple(tower_hidden_dims), output_dims, dropout=dropout_rate
        )

    def forward(self, x: Tensor, return_expert_weights: bool = False) -> Predictions | tuple[Predictions, list[Tensor]]:
        """Return a list of raw scores a task and, if asked for, a list of expert weights a task."""
        if x.dim() != 2 or x.shape[1] != self.input_dim:
            raise ShapeError(f"input: expected shape [batch, {self.input_dim}], found {list(x.shape)}")
        hidden, gates, _ = self.trunk.mix(x)
        assert gates is not None
        predictions = list(self.towers(hidden).split(self.towers.output_dims, dim=1))
        return (predictions, list(gates.unbind(dim=1))) if return_expert_weights else predictions


class MMoERecommendationModel(MMoEModel):
    """MMoE on a user embedding, an item embedding and dense features.

    Args:
        user_cardinality: how many users; ids are 0 to ``user_cardinality - 1``.
        item_cardinality: how many items.
        embedding_dim: width of both embeddings.
        num_dense_features: width of the dense features; 0: none.
        num_experts: this and all that follow as in :class:`MMoEModel`.

    Shape:
        - user_ids, item_ids ``[batch]``; dense_features ``[batch, num_dense_features]``
        - output: as :class:`MMoEModel`

    Raises:
        ShapeError: an id out of range, by the name of its feature; dense features of another width.

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
        tower_hidden_dims: Sequence[int] = (64, 32),
        dropout_rate: float = 0.1,
        task_output_dims: Sequence[int] | None = None,
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
        )
        self.num_dense_features = num_dense_features
        fields = [
            EmbeddingField("user_ids", user_cardinality, embedding_dim, reserved=0),
            EmbeddingField("item_ids", item_cardinality, embedding_dim, reserved=0),
        ]
        self.embeddings = EmbeddingTables(fields)

    def forward(  # type: ignore[override]
        self,
        user_ids: Tensor,
        item_ids: Tensor,
        dense_features: Tensor | None = None,
        return_expert_weights: bool = False,
    ) -> Predictions | tuple[Predictions, list[Tensor]]:
        """Return a list of raw scores a task and, if asked for, a list of expert weights a task."""
        found = 0 if dense_features is None else dense_features.shape[-1]
        if found != self.num_dense_features:
            raise ShapeError(f"dense_features: expected width {self.num_dense_features}, found {found}")
        parts = [self.embeddings(0, user_ids), self.embeddings(1, item_ids)]
        x = torch.cat(parts if dense_features is None else [*parts, dense_features], dim=1)
        return super().forward(x, return_expert_weights)
