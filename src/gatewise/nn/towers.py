"""Towers: from a task's hidden vector to its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.kernels import group_linear
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.perceptrons import GroupMLP, GroupResidualMLP


class Towers(nn.Module):
    """Per task one multi-layer perceptron and a linear output; all tasks are batched products.

    Args:
        num_tasks: number of towers.
        input_dim: width of a task's hidden vector.
        dims: hidden widths of every tower.
        output_dims: number of outputs per task; by default one.
        hidden: the hidden layers, see :class:`Hidden`.
        residual: whether every hidden layer adds to its input, see :class:`GroupResidualMLP`.

    Shape:
        - input ``[batch, task, input_dim]``
        - output ``[batch, sum(output_dims)]``, the tasks' outputs side by side
    """

    task_of_output: Tensor

    def __init__(
        self,
        num_tasks: int,
        input_dim: int,
        dims: tuple[int, ...],
        output_dims: tuple[int, ...] = (),
        *,
        hidden: Hidden = Hidden(),
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.output_dims = output_dims or (1,) * num_tasks
        check_sizes(**{f"output_dims[{task}]": width for task, width in enumerate(self.output_dims)})
        perceptrons = GroupResidualMLP if residual and dims else GroupMLP
        self.hidden = perceptrons(num_tasks, input_dim, dims, hidden=hidden)
        owners = [task for task, width in enumerate(self.output_dims) for _ in range(width)]
        self.register_buffer("task_of_output", torch.tensor(owners), persistent=False)
        width = self.hidden.output_dim
        self.weight = nn.Parameter(torch.empty(len(owners), width).uniform_(-(width**-0.5), width**-0.5))
        self.bias = nn.Parameter(torch.zeros(len(owners)))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(self.hidden(x))

    def outputs(self, hidden: Tensor) -> Tensor:
        """Return the outputs of the last hidden layers ``[batch, task, dims[-1]]``."""
        if hidden.shape[1] != len(self.task_of_output):
            hidden = hidden.index_select(1, self.task_of_output)
        return group_linear(hidden, self.weight.unsqueeze(1), self.bias.unsqueeze(1)).squeeze(2)

    @torch.no_grad()
    def start_at(self, biases: Tensor) -> None:
        """Set the outputs' biases, ``[sum(output_dims)]``."""
        self.bias.copy_(biases)


class LinkedTowers(nn.Module):
    r"""Towers of different shapes, which may read the last hidden layers of other tasks' towers.

    .. math:: t_k = \mathrm{MLP}_k([z_k; t_{j_1}; \dots; t_{j_n}]), \quad y_k = W_k t_k + b_k

    where :math:`z_k` is the trunk's vector of task k and :math:`j_1, \dots, j_n` are the tasks that task k reads.
    Towers of equal shape that wait for none of each other stay one batched product.

    Args:
        num_tasks: number of towers.
        input_dim: width of a task's hidden vector.
        dims: per task the hidden widths of its tower.
        output_dims: number of outputs per task; by default one.
        reads: per task the positions of the tasks whose towers its tower reads; empty: no tower reads another.
        hidden: the hidden layers, see :class:`Hidden`.
        residual: whether every hidden layer adds to its input, see :class:`GroupResidualMLP`.

    Raises:
        ShapeError: towers that read each other in a circle, or not one entry per task.

    Shape:
        - input ``[batch, task, input_dim]``
        - output ``[batch, sum(output_dims)]``, the tasks' outputs side by side

    Example:
        >>> towers = LinkedTowers(3, 8, dims=((4,), (4,), (16, 2)), reads=((), (0,), (0, 1)))
        >>> [len(stage) for stage in towers.stages], towers(torch.zeros(5, 3, 8)).shape
        ([1, 1, 1], torch.Size([5, 3]))

    References:
        Wang et al.: Deep Bayesian Multi-Target Learning for Recommender Systems. 2019 (a graph of tasks).
    """

    order: Tensor

    def __init__(
        self,
        num_tasks: int,
        input_dim: int,
        dims: Sequence[tuple[int, ...]],
        output_dims: tuple[int, ...] = (),
        *,
        reads: Sequence[tuple[int, ...]] = (),
        hidden: Hidden = Hidden(),
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.output_dims = output_dims or (1,) * num_tasks
        self.reads = tuple(reads) or ((),) * num_tasks
        for name, entries in (("dims", dims), ("output_dims", self.output_dims), ("reads", self.reads)):
            if len(entries) != num_tasks:
                raise ShapeError(f"{name}: expected {num_tasks} entries, one per task, found {len(entries)}")
        widths = _input_widths(input_dim, dims, self.reads)
        self.stages = _stages(self.reads, [(width, tuple(own)) for width, own in zip(widths, dims, strict=True)])
        self.towers = nn.ModuleList(
            Towers(
                len(stage),
                widths[stage[0]],
                tuple(dims[stage[0]]),
                tuple(self.output_dims[task] for task in stage),
                hidden=hidden,
                residual=residual,
            )
            for stage in self.stages
        )
        self.register_buffer("order", torch.tensor(self._order()), persistent=False)

    @override
    def forward(self, x: Tensor) -> Tensor:
        found: dict[int, Tensor] = {}
        outputs = []
        for stage, towers in self.parts():
            hidden = towers.hidden(self._inputs(x, stage, found))
            found |= {task: hidden[:, place] for place, task in enumerate(stage)}
            outputs.append(towers.outputs(hidden))
        return torch.cat(outputs, dim=1).index_select(1, self.order)

    def parts(self) -> list[tuple[tuple[int, ...], Towers]]:
        """Return the tasks of each stage, and their towers."""
        return list(zip(self.stages, cast("list[Towers]", list(self.towers)), strict=True))

    def _inputs(self, x: Tensor, stage: tuple[int, ...], found: dict[int, Tensor]) -> Tensor:
        return torch.stack(
            [torch.cat([x[:, task], *(found[other] for other in self.reads[task])], dim=1) for task in stage], dim=1
        )

    def _order(self) -> list[int]:
        """Return the place of every output among the stages' outputs side by side."""
        tasks = [task for stage in self.stages for task in stage]
        starts = dict(zip(tasks, accumulate((self.output_dims[task] for task in tasks), initial=0), strict=False))
        return [starts[task] + i for task, width in enumerate(self.output_dims) for i in range(width)]

    def start_at(self, biases: Tensor) -> None:
        """Set the outputs' biases, ``[sum(output_dims)]``."""
        spans = list(pairwise(accumulate(self.output_dims, initial=0)))
        for stage, towers in self.parts():
            towers.start_at(torch.cat([biases[slice(*spans[task])] for task in stage]))


AnyTowers = Towers | LinkedTowers


def make_towers(
    num_tasks: int,
    input_dim: int,
    dims: Sequence[int] | Sequence[Sequence[int]],
    output_dims: tuple[int, ...] = (),
    *,
    reads: Sequence[tuple[int, ...]] = (),
    hidden: Hidden = Hidden(),
    residual: bool = False,
) -> AnyTowers:
    """Return towers of one shape for all tasks, or with a shape per task.

    Args:
        num_tasks: number of towers.
        input_dim: width of a task's hidden vector.
        dims: the hidden widths of every tower; or per task the hidden widths of its tower.
        output_dims: number of outputs per task; by default one.
        reads: per task the positions of the tasks whose towers its tower reads; empty: no tower reads another.
        hidden: the hidden layers, see :class:`Hidden`.
        residual: whether every hidden layer adds to its input, see :class:`GroupResidualMLP`.

    Example:
        >>> type(make_towers(2, 8, [4])).__name__, type(make_towers(2, 8, [[4], [16, 2]])).__name__
        ('Towers', 'LinkedTowers')
    """
    shape = tuple(width for width in dims if isinstance(width, int))
    each = [tuple(own) for own in dims if not isinstance(own, int)] or [shape] * num_tasks
    if len(set(each)) == 1 and len(each) == num_tasks and not any(reads):
        return Towers(num_tasks, input_dim, each[0], output_dims, hidden=hidden, residual=residual)
    return LinkedTowers(num_tasks, input_dim, each, output_dims, reads=reads, hidden=hidden, residual=residual)


def _waits(reads: Sequence[tuple[int, ...]]) -> list[int]:
    """Return how many towers must run before each tower, in a chain.

    Raises:
        ShapeError: towers read each other in a circle.
    """
    waits: dict[int, int] = {}
    while len(waits) < len(reads):
        ready = [k for k, others in enumerate(reads) if k not in waits and all(other in waits for other in others)]
        if not ready:
            circle = [k for k in range(len(reads)) if k not in waits]
            raise ShapeError(f"reads: towers {circle} read each other in a circle")
        waits |= {k: max((waits[other] + 1 for other in reads[k]), default=0) for k in ready}
    return [waits[k] for k in range(len(reads))]


def _stages(reads: Sequence[tuple[int, ...]], shapes: Sequence[object]) -> list[tuple[int, ...]]:
    """Return groups of tasks whose towers have equal shapes and can run together, in an order that works."""
    waits = _waits(reads)
    stages: dict[tuple[int, object], list[int]] = {}
    for task in sorted(range(len(reads)), key=lambda task: waits[task]):
        stages.setdefault((waits[task], shapes[task]), []).append(task)
    return [tuple(tasks) for tasks in stages.values()]


def _input_widths(input_dim: int, dims: Sequence[tuple[int, ...]], reads: Sequence[tuple[int, ...]]) -> list[int]:
    """Return the width that each tower reads; a tower without layers passes on its input."""
    waits = _waits(reads)
    read: dict[int, int] = {}
    last: dict[int, int] = {}
    for task in sorted(range(len(dims)), key=lambda task: waits[task]):
        read[task] = input_dim + sum(last[other] for other in reads[task])
        last[task] = dims[task][-1] if dims[task] else read[task]
    return [read[task] for task in range(len(dims))]
