"""Single task: one network per task."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class SingleTask(Trunk):
    """One bottom per task: nothing is shared above the input layer.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        bottom_dims: hidden widths of every bottom.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, bottom_dims[-1]]``
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        bottom_dims: tuple[int, ...] = (64, 32),
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.num_tasks = num_tasks
        self.bottoms = GroupMLP(num_tasks, input_dim, bottom_dims, hidden=hidden)
        self.output_dim = self.bottoms.output_dim

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        return Mixed(self.bottoms(x))
