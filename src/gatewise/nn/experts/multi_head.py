"""Experts of several heads."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts.experts import Experts
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear, check_sizes
from gatewise.nn.perceptrons import GroupMLP


class MultiHeadExperts(Experts):
    r"""Experts of several heads that read the same input; the heads' outputs are concatenated and mapped.

    .. math:: f_i(u) = O_i [h_{i1}(u); \dots; h_{iH}(u)], \quad h_{ij}(u) = \phi(A_{ij} u + b_{ij})

    All heads of all experts are one batched product.

    Args:
        input_dim: width of the input.
        num_experts: number of experts.
        heads: H, the number of heads per expert.
        dim: width of an expert's output, a multiple of ``heads``; a head is ``dim / heads`` wide.
        hidden: the heads' layer, see :class:`Hidden`.

    Raises:
        ShapeError: ``dim`` is not a multiple of ``heads``.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, expert, input_dim]``
        - output ``[batch, expert, dim]``
    """

    def __init__(
        self,
        input_dim: int,
        num_experts: int,
        heads: int,
        dim: int,
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(num_experts=num_experts, heads=heads, expert_dim=dim)
        if dim % heads:
            raise ShapeError(f"expert_dim: expected a multiple of {heads} heads, found {dim}")
        # an expert's heads side by side are one layer, as wide as all heads together
        self.heads = GroupMLP(num_experts, input_dim, (dim,), hidden=hidden)
        self.join = GroupLinear(num_experts, dim, dim)
        self.num_experts, self.output_dim = num_experts, dim

    @override
    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.join(self.heads(x))
        return outputs

    @override
    def one(self, expert: int, x: Tensor) -> Tensor:
        return self.join.one(expert, self.heads.one(expert, x))
