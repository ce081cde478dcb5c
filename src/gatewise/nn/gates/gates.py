"""The contract of every gate, and the measures against collapse that all kinds share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.gates.dropout import drop_experts
from gatewise.nn.gates.penalties import entropy_deficit, importance_variation, z_penalty
from gatewise.nn.gates.temperature import Temperature


class Gated(NamedTuple):
    """The output of gates.

    Shape:
        - weights: ``[batch, gate, expert]``; per row and gate they sum to 1
        - penalty: scalar that is added to the loss, or None
    """

    weights: Tensor
    penalty: Tensor | None = None


class Gates(nn.Module):
    """Several gates over the same experts.

    A kind of gate scores the experts (:meth:`logits`) and turns the scores into weights (:meth:`weigh`, a softmax by
    default). The options from ``reach`` on are common to all kinds, and off by default.

    Args:
        input_dim: width of the input.
        num_experts: number of experts per gate.
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; the others get exactly 0. None: all.
        columns: the input columns that gates read, such as those of a scenario; None: all.
        temperature: divides the logits; a high temperature keeps the weights even.
        final_temperature: temperature at the end of annealing, reached by equal factors; None: no annealing.
        anneal_steps: length of the annealing, in forward passes in training.
        dropout: share of the weights set to 0 in training; the rest is scaled to sum to 1.
        importance: strength of the squared coefficient of variation of the experts' total weights in a batch.
        entropy: strength of the mean difference between the entropy of even weights and that of the weights.
        z_loss: strength of the mean squared log-sum-exp of the logits.

    Attributes:
        sparse: whether most weights are exactly 0, so that experts can be skipped.

    Raises:
        ShapeError: columns outside the input, a temperature that is not positive, or no steps to anneal in.

    Shape:
        - input ``[batch, input_dim]``, read by every gate, or ``[batch, gate, input_dim]``
        - output: :class:`Gated`

    References:
        Shazeer et al.: Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer. ICLR 2017
        (importance).
        Zoph et al.: ST-MoE: Designing Stable and Transferable Sparse Expert Models. 2022 (z loss).
    """

    reach: Tensor | None
    columns: Tensor | None
    sparse: bool = False

    def __init__(
        self,
        input_dim: int,
        num_experts: int,
        *,
        reach: Tensor | None = None,
        columns: Sequence[int] | None = None,
        temperature: float = 1.0,
        final_temperature: float | None = None,
        anneal_steps: int = 0,
        dropout: float = 0.0,
        importance: float = 0.0,
        entropy: float = 0.0,
        z_loss: float = 0.0,
    ) -> None:
        super().__init__()
        if columns is not None and not (columns and all(0 <= column < input_dim for column in columns)):
            raise ShapeError(f"columns: expected columns from 0 to {input_dim - 1}, found {list(columns)}")
        if not 0 <= dropout < 1:
            raise ShapeError(f"dropout: expected a share from 0 to below 1, found {dropout}")
        self.register_buffer("reach", reach, persistent=False)
        self.register_buffer("columns", None if columns is None else torch.tensor(columns), persistent=False)
        self.num_experts = num_experts
        self.read_dim = input_dim if columns is None else len(columns)
        self.temperature = Temperature(temperature, final_temperature, anneal_steps)
        self.dropout = dropout
        self.importance, self.entropy, self.z_loss = importance, entropy, z_loss

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Return the scores of the experts ``[batch, gate, expert]``, from the columns that gates read."""

    def weigh(self, logits: Tensor) -> Tensor:
        """Return weights that sum to 1; a logit of minus infinity gets exactly 0."""
        return logits.softmax(dim=-1)

    @override
    def forward(self, x: Tensor) -> Gated:
        """Return every gate's weights and, in training, their penalty."""
        logits = self.logits(self.read(x))
        # at least float32, also under autocast: weights rounded to bfloat16 would not sum to 1
        logits = self.temperature(logits.to(torch.promote_types(logits.dtype, torch.float32)))
        if self.reach is not None:
            logits = logits.masked_fill(~self.reach, -torch.inf)
        return self.regularised(self.weigh(logits), logits)

    def read(self, x: Tensor) -> Tensor:
        """Return the input columns that the gates read."""
        if self.columns is None:
            return x
        if x.dim() != 2:
            raise ShapeError("columns: gates of a further level read what the one before gives, which has no features")
        return x.index_select(1, self.columns)

    def regularised(self, weights: Tensor, logits: Tensor | None = None) -> Gated:
        """Return the weights; in training, with dropout and their penalty."""
        if not self.training:
            return Gated(weights)
        terms = []
        if self.importance:
            terms.append(self.importance * importance_variation(weights, self.reach))
        if self.entropy:
            terms.append(self.entropy * entropy_deficit(weights, self.reach))
        if self.z_loss and logits is not None:
            terms.append(self.z_loss * z_penalty(logits))
        kept = drop_experts(weights, self.dropout) if self.dropout else weights
        return Gated(kept, sum(terms[1:], terms[0]) if terms else None)


GateMaker = Callable[..., nn.Module]
"""Makes gates from ``(input_dim, num_gates, num_experts, dims, *, hidden, reach)``, see
:func:`gatewise.nn.gates.make_gates`: a class of gates, or a class with some options bound by ``functools.partial``."""


def skips(gates: nn.Module) -> bool:
    """Whether experts run only on the rows that these gates give them: in evaluation mode, and not while tracing."""
    sparse = getattr(gates, "sparse", False) and not gates.training
    return sparse and not torch.is_grad_enabled() and not torch.compiler.is_compiling()


def gated(found: Gated | Tensor) -> Gated:
    """Wrap a bare weight tensor from a user's gate module as :class:`Gated`."""
    return found if isinstance(found, Gated) else Gated(found)
