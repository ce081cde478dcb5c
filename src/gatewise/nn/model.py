"""A multi-task model: input layer, trunk, towers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.expectation import BehaviouralExpectation
from gatewise.nn.feature_layer import FeatureLayer
from gatewise.nn.input_layer import InputLayer, Vectors
from gatewise.nn.members import Members
from gatewise.nn.side_tower import SideTower
from gatewise.nn.table import Inputs, TensorTable
from gatewise.nn.towers import AnyTowers
from gatewise.nn.trunks import Trunk
from gatewise.nn.trunks.trunk import Mixed, total


class Output(NamedTuple):
    """The output of a forward pass.

    Shape:
        - scores: ``[batch, score]``, before the tasks' links; one or several per task, side by side
        - gates: ``[batch, task, expert]``, or None for a trunk without gates
        - penalty: scalar that the trainer adds to the loss, or None for a model without a penalty
    """

    scores: Tensor
    gates: Tensor | None
    penalty: Tensor | None


class MultiTaskModel(nn.Module):
    r"""An input layer, a trunk and towers, with the model's own penalty.

    .. math::
        P + \frac1B \sum_{b} \left( \lambda_e \lVert e_b \rVert^2 + \mu_e \lVert e_b \rVert_1 \right)
        + \sum_W \left( \lambda_d \lVert W \rVert^2 + \mu_d \lVert W \rVert_1 \right)

    where :math:`P` is the penalty of trunk and expectation, :math:`e_b` are the embeddings of row b side by side
    (lists after pooling) and W runs over all dense weight matrices.

    Args:
        input_layer: columns to ``[batch, dim]``.
        trunk: ``[batch, dim]`` to ``[batch, task, hidden]``.
        towers: ``[batch, task, hidden]`` to ``[batch, score]``; with members, those of all members side by side.
        l2_embedding: the penalty's :math:`\lambda_e`.
        l2_dense: the penalty's :math:`\lambda_d`.
        l1_embedding: the penalty's :math:`\mu_e`.
        l1_dense: the penalty's :math:`\mu_d`.
        expectation: penalty on the probabilities of ordered tasks.
        feature_layer: layers between the input layer and the trunk.
        side_tower: features that the trunk does not read, and the tower that reads them.
        members: gives each of several members its own input, and merges their scores; None: one model.
    """

    side_columns: Tensor
    trunk_columns: Tensor

    def __init__(
        self,
        input_layer: InputLayer,
        trunk: Trunk,
        towers: AnyTowers,
        *,
        l2_embedding: float = 0.0,
        l2_dense: float = 0.0,
        l1_embedding: float = 0.0,
        l1_dense: float = 0.0,
        expectation: BehaviouralExpectation | None = None,
        feature_layer: FeatureLayer | None = None,
        side_tower: tuple[tuple[str, ...], SideTower] | None = None,
        members: Members | None = None,
    ) -> None:
        super().__init__()
        self.input_layer = input_layer
        self.trunk = trunk
        self.towers = towers
        self.l2_embedding = l2_embedding
        self.l2_dense = l2_dense
        self.l1_embedding = l1_embedding
        self.l1_dense = l1_dense
        self.expectation = expectation
        self.feature_layer = feature_layer
        self.side_features: tuple[str, ...] = () if side_tower is None else side_tower[0]
        self.side_tower = None if side_tower is None else side_tower[1]
        self.members = members
        aside = [column for name in self.side_features for column in input_layer.columns_of(name)]
        kept = [column for column in range(input_layer.output_dim) if column not in set(aside)]
        self.register_buffer("side_columns", torch.tensor(aside, dtype=torch.long), persistent=False)
        self.register_buffer("trunk_columns", torch.tensor(kept, dtype=torch.long), persistent=False)

    @override
    def forward(self, inputs: Inputs) -> Output:
        return self.from_vectors(self.input_layer(inputs))

    @property
    def num_members(self) -> int:
        """Number of members whose predictions are averaged; 1 for a model without members."""
        return 1 if self.members is None else self.members.count

    def from_vectors(self, vectors: Vectors) -> Output:
        """Return the model's output from the vectors of the input layer; that of members is merged."""
        output = self.of_members(vectors)
        if self.members is None:
            return output
        gates = None if output.gates is None else self.members.mean(output.gates)
        return Output(self.members.merged(output.scores), gates, output.penalty)

    def of_members(self, vectors: Vectors) -> Output:
        """Return the output of every member, those of a row side by side: ``[batch * member, ...]``.

        A model without members is its only one.
        """
        x = vectors.x if self.side_tower is None else vectors.x.index_select(1, self.trunk_columns)
        x = x if self.feature_layer is None else self.feature_layer(x)
        mixed = self._mixed(x, vectors)
        scores = self._scores(mixed.hidden)
        if self.side_tower is not None:
            aside = self.side_tower(vectors.x.index_select(1, self.side_columns))
            scores = scores + aside.repeat_interleave(self.num_members, dim=0)
        owed = None if self.expectation is None else self.expectation(scores)
        of_embeddings = self._of_embeddings(vectors, self.l2_embedding, torch.square)
        of_weights = self._of_weights(self.l2_dense, torch.square)
        absolute = (
            self._of_embeddings(vectors, self.l1_embedding, torch.abs),
            self._of_weights(self.l1_dense, torch.abs),
        )
        penalty = total(mixed.penalty, owed, of_embeddings, of_weights, *absolute)
        return Output(scores, mixed.gates, penalty)

    def _mixed(self, x: Tensor, vectors: Vectors) -> Mixed:
        if self.members is None:
            return self.trunk.mix(x, *vectors.sequences)
        return self.trunk.mix(self.members(x), *map(self.members.repeated, vectors.sequences))

    def _scores(self, hidden: Tensor) -> Tensor:
        scores: Tensor
        if self.members is None:
            scores = self.towers(hidden)
        else:
            scores = self.members.apart(self.towers(self.members.of_rows(hidden)))
        return scores

    def _of_embeddings(self, vectors: Vectors, strength: float, size: Callable[[Tensor], Tensor]) -> Tensor | None:
        if not strength:
            return None
        of_rows = size(vectors.x[:, : self.input_layer.embedding_dim]).sum(dim=1)
        for items in vectors.sequences:
            of_rows = of_rows + size(items.vectors).sum(dim=(1, 2))
        return strength * of_rows.mean()

    def _of_weights(self, strength: float, size: Callable[[Tensor], Tensor]) -> Tensor | None:
        if not strength:
            return None
        return strength * torch.stack([size(weight).sum() for weight in self.dense_weights()]).sum()

    @property
    def device(self) -> torch.device:
        """The device of the model; embedding tables may be in the host's memory, see :class:`HostTables`."""
        return next(weight for _, weight in self._beside_tables()).device

    def _beside_tables(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters outside the embedding tables, each with its name."""
        tables = {id(weight) for weight in self.input_layer.tables.parameters()}
        yield from ((name, weight) for name, weight in self.named_parameters() if id(weight) not in tables)

    def dense_weights(self) -> list[nn.Parameter]:
        """Return the trained weight matrices outside the embeddings, without biases and normalisation."""
        named = [(name.rpartition(".")[2], weight) for name, weight in self._beside_tables()]
        return [weight for name, weight in named if "weight" in name and weight.dim() > 1 and weight.requires_grad]

    def num_parameters(self, *, embeddings: bool = True) -> int:
        """Return the number of parameters, with or without those of the embedding tables."""
        others = sum(weight.numel() for _, weight in self._beside_tables())
        return others + self.input_layer.tables.num_parameters() if embeddings else others

    @torch.no_grad()
    def score(self, table: TensorTable, batch_size: int = 4096, *, gates: bool = False) -> tuple[Tensor, Tensor | None]:
        """Run a whole table through the model in evaluation mode, row by row in the table's order.

        Returns:
            Scores ``[row, score]`` and, with ``gates=True``, gates ``[row, task, expert]``, both float32 on the CPU.
        """
        self.input_layer.check(table)
        table = self.input_layer.read_texts(table)
        # an empty table is one empty batch
        batches = torch.split(torch.arange(len(table), device=table.device), batch_size)
        return self.run((table.inputs(index) for index in batches), gates=gates)

    @torch.no_grad()
    def run(self, batches: Iterable[Inputs], *, gates: bool = False) -> tuple[Tensor, Tensor | None]:
        """Run batches through the model in evaluation mode; returns the same as :meth:`score`."""
        was_training = self.training
        self.eval()
        found = [(output.scores, output.gates) for output in map(self, batches)]
        self.train(was_training)
        scores = torch.cat([part.float().cpu() for part, _ in found])
        weights = [part.float().cpu() for _, part in found if gates and part is not None]
        return scores, torch.cat(weights) if weights else None
