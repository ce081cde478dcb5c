"""OMoE: experts with one gate for all tasks."""

from __future__ import annotations

from typing_extensions import override

from gatewise.nn.trunks.mmoe import MMoE


class OMoE(MMoE):
    r"""One-gate mixture-of-experts: every task gets the same mixture.

    .. math:: f(x) = \sum_{i=1}^{E} g(x)_i \, f_i(x)

    OMoE is :class:`MMoE` with one gate in place of the tasks' gates, and takes the arguments of :class:`MMoE`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``, the same vector for every task

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    @staticmethod
    @override
    def num_gates(num_tasks: int) -> int:
        return 1
