"""CGC: experts of each task and shared experts, in one level."""

from __future__ import annotations

from gatewise.nn.gates import GateMaker, SoftmaxGates
from gatewise.nn.hidden import Hidden
from gatewise.nn.trunks.ple import PLE


class CGC(PLE):
    r"""Customized gate control: a task's gate weighs the task's own experts and the shared experts.

    .. math:: z_k = \sum_{i \in O_k \cup S} \mathrm{softmax}(W_k x)_i \, f_i(x)

    CGC is :class:`PLE` with one level, and takes the arguments of :class:`PLE` except ``levels``.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``

    References:
        Tang et al.: Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized
        Recommendations. RecSys 2020.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        own_experts: int | tuple[int, ...] = 2,
        shared_experts: int = 2,
        expert_dims: tuple[int, ...] = (64, 32),
        gate: GateMaker = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__(
            input_dim,
            num_tasks,
            own_experts=own_experts,
            shared_experts=shared_experts,
            expert_dims=expert_dims,
            gate=gate,
            gate_dims=gate_dims,
            levels=1,
            hidden=hidden,
            gate_hidden=gate_hidden,
        )
