"""A multi-task model: input layer, trunk, towers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gatewise.nn.input_layer import InputLayer
from gatewise.nn.layers import GroupLinear
from gatewise.nn.table import Inputs, TensorTable
from gatewise.nn.towers import Towers
from gatewise.nn.trunks import Trunk


class Output(NamedTuple):
    """What a forward pass gives.

    Shape:
        - scores: ``[batch, task]``, before the task's link
        - gates: ``[batch, task, expert]``, or None in a trunk without gates
        - penalty: scalar that the trainer adds to the loss, or None in a model without one
    """

    scores: Tensor
    gates: Tensor | None
    penalty: Tensor | None


class MultiTaskModel(nn.Module):
    r"""Composes an input layer, a trunk and towers, and states the model's own penalty.

    .. math:: \lambda_e \, \frac1B \sum_{b} \lVert e_b \rVert^2 + \lambda_d \sum_W \lVert W \rVert^2

    where :math:`e_b` are the embeddings of row b side by side (lists pooled) and W all dense weight matrices.

    Args:
        input_layer: columns to ``[batch, dim]``.
        trunk: ``[batch, dim]`` to ``[batch, task, hidden]``.
        towers: ``[batch, task, hidden]`` to ``[batch, task]``.
        l2_embedding: the penalty's :math:`\lambda_e`.
        l2_dense: the penalty's :math:`\lambda_d`.
    """

    def __init__(
        self,
        input_layer: InputLayer,
        trunk: Trunk,
        towers: Towers,
        *,
        l2_embedding: float = 0.0,
        l2_dense: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_layer = input_layer
        self.trunk = trunk
        self.towers = towers
        self.l2_embedding = l2_embedding
        self.l2_dense = l2_dense

    def forward(self, inputs: Inputs) -> Output:  # noqa: D102
        return self.from_vectors(self.input_layer(inputs))

    def from_vectors(self, x: Tensor) -> Output:
        """Return the output of all that lies above the input layer, from its vectors ``[batch, dim]``."""
        hidden, gates = self.trunk.mix(x)
        return Output(self.towers(hidden), gates, self._penalty(x))

    def _penalty(self, x: Tensor) -> Tensor | None:
        terms = []
        if self.l2_embedding:
            embedded = x[:, : self.input_layer.embedding_dim]
            terms.append(self.l2_embedding * embedded.square().sum(dim=1).mean())
        if self.l2_dense:
            squares = [weight.square().sum() for weight in self.dense_weights()]
            terms.append(self.l2_dense * torch.stack(squares).sum())
        return sum(terms[1:], terms[0]) if terms else None

    def dense_weights(self) -> list[nn.Parameter]:
        """Return the weight matrices outside the embeddings: no biases, no normalisation."""
        weights = [module.weight for module in self.modules() if isinstance(module, GroupLinear)]
        return [*weights, self.towers.weight]

    def num_parameters(self, *, embeddings: bool = True) -> int:
        """Count parameters, with or without those of the embedding tables."""
        tables = {id(weight) for weight in self.input_layer.parameters()}
        return sum(p.numel() for p in self.parameters() if embeddings or id(p) not in tables)

    @torch.no_grad()
    def score(self, table: TensorTable, batch_size: int = 4096, *, gates: bool = False) -> tuple[Tensor, Tensor | None]:
        """Run a whole table through the model in evaluation mode, in order.

        Returns:
            Scores ``[row, task]`` and, asked for, gates ``[row, task, expert]``, both float32 on the CPU.
        """
        self.input_layer.check(table)
        was_training = self.training
        self.eval()
        # a table of no rows is one batch of none
        batches = table.indices(batch_size) if len(table) else [torch.arange(0, device=table.device)]
        found = [(output.scores, output.gates) for output in (self(table.inputs(index)) for index in batches)]
        self.train(was_training)
        scores = torch.cat([part.float().cpu() for part, _ in found])
        weights = [part.float().cpu() for _, part in found if gates and part is not None]
        return scores, torch.cat(weights) if weights else None
