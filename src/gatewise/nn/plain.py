"""Any module as a model for training: its inputs travel as one matrix, its outputs are the tasks' scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.layout import Layout
from gatewise.nn.input_layer import InputLayer, Vectors
from gatewise.nn.model import MultiTaskModel
from gatewise.nn.sequences import Padded
from gatewise.nn.table import Inputs, TensorTable
from gatewise.nn.towers import AnyTowers
from gatewise.nn.trunks import Mixed, Trunk

PlainInputs = Tensor | Sequence[Tensor] | Mapping[str, Tensor]
"""What a module reads: a tensor ``[row, ...]``, several that it takes by position, or by name."""


@dataclass(frozen=True)
class Packing:
    """How tensors of any shape and type become one matrix of numbers, and come back unchanged.

    Args:
        names: names of the arguments; empty: by position.
        shapes: shape of each tensor's rows.
        types: type of each tensor.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    types: tuple[torch.dtype, ...]

    @classmethod
    def of(cls, inputs: PlainInputs) -> Packing:
        """Return the packing of some inputs.

        Raises:
            ShapeError: there are no inputs, or they differ in the number of rows.
        """
        parts = _parts(inputs)
        if not parts:
            raise ShapeError("inputs: expected one tensor or more, found none")
        for place, part in enumerate(parts):
            if len(part) != len(parts[0]):
                raise ShapeError(f"inputs[{place}]: expected {len(parts[0])} rows as in the first, found {len(part)}")
        names = tuple(inputs) if isinstance(inputs, Mapping) else ()
        return cls(names, tuple(tuple(part.shape[1:]) for part in parts), tuple(part.dtype for part in parts))

    def pack(self, inputs: PlainInputs) -> Tensor:
        """Return the inputs as ``[row, number]``; float64 where whole numbers have to stay exact.

        Raises:
            ShapeError: these inputs have other shapes or names.
        """
        if (found := Packing.of(inputs)) != self:
            raise ShapeError(f"inputs: expected {self}, found {found}")
        exact = torch.float32 if all(kind in (torch.float32, torch.float16) for kind in self.types) else torch.float64
        return torch.cat([part.reshape(len(part), -1).to(exact) for part in _parts(inputs)], dim=1)

    def unpack(self, x: Tensor) -> list[Tensor]:
        """Return the inputs of a packed matrix."""
        sizes = [math.prod(shape) for shape in self.shapes]
        cut = zip(torch.split(x, sizes, dim=1), self.shapes, self.types, strict=True)
        return [part.to(kind).reshape(part.shape[0], *shape) for part, shape, kind in cut]


def _parts(inputs: PlainInputs) -> list[Tensor]:
    if isinstance(inputs, Tensor):
        return [inputs]
    return list(inputs.values() if isinstance(inputs, Mapping) else inputs)


class PackedInputs(InputLayer):
    """An input layer that passes on a matrix of numbers."""

    def __init__(self) -> None:
        super().__init__(Layout())

    @override
    def check(self, inputs: Inputs | TensorTable) -> None:
        """Accept any width: a module judges its inputs itself."""

    @override
    def forward(self, inputs: Inputs) -> Vectors:
        return Vectors(inputs.floats)


class PlainTrunk(Trunk):
    """A module that maps inputs to the scores of all tasks.

    Args:
        module: returns ``[batch, score]``, or per task ``[batch]`` or ``[batch, score]``, by position or name.
        packing: how the module's inputs are packed.
        tasks: names of the tasks.
        num_scores: number of scores per task.

    Raises:
        ShapeError: in a forward pass, if the module's outputs do not fit the tasks.

    Shape:
        - input ``[batch, number]``, packed
        - output ``[batch, sum(num_scores)]``
    """

    def __init__(self, module: nn.Module, packing: Packing, tasks: Sequence[str], num_scores: Sequence[int]) -> None:
        super().__init__()
        self.module, self.packing = module, packing
        self.tasks, self.num_scores = tuple(tasks), tuple(num_scores)
        self.num_tasks, self.output_dim = len(tasks), sum(num_scores)

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        parts = self.packing.unpack(x)
        # a user's module may draw random numbers, which it takes from the global generator
        with lent():
            if self.packing.names:
                found = self.module(**dict(zip(self.packing.names, parts, strict=True)))
            else:
                found = self.module(*parts)
        return Mixed(self._scores(found, x.shape[0]))

    def _scores(self, found: object, rows: int) -> Tensor:
        parts = self._by_task(found)
        scores = torch.cat([part.reshape(rows, -1) for part in parts], dim=1)
        if scores.shape[1] != self.output_dim:
            expected = f"{self.output_dim}, those of {', '.join(self.tasks)}"
            raise ShapeError(f"outputs: expected scores [batch, {expected}], found {list(scores.shape)}")
        return scores

    def _by_task(self, found: object) -> list[Tensor]:
        if isinstance(found, Tensor):
            return [found]
        if isinstance(found, Mapping):
            if set(found) != set(self.tasks):
                raise ShapeError(f"outputs: expected the tasks {', '.join(self.tasks)}, found {', '.join(found)}")
            return [found[name] for name in self.tasks]
        if not isinstance(found, Sequence) or not all(isinstance(part, Tensor) for part in found):
            raise ShapeError(f"outputs: expected a tensor, or one per task, found {type(found).__name__}")
        if len(found) != self.num_tasks:
            raise ShapeError(f"outputs: expected {self.num_tasks} tensors, one per task, found {len(found)}")
        return list(found)


def plain_model(module: nn.Module, packing: Packing, tasks: Sequence[str], num_scores: Sequence[int]) -> MultiTaskModel:
    """Return a model for training that is the module and nothing else."""
    towers = cast("AnyTowers", nn.Identity())
    return MultiTaskModel(PackedInputs(), PlainTrunk(module, packing, tasks, num_scores), towers)
