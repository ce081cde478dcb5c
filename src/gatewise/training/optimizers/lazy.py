"""An optimiser for dense gradients and gradients of some rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.training.optimizers.rule import Rule, State


class Group(NamedTuple):
    """Parameters with one update rule; their learning rate is the optimiser's rate times a factor."""

    rule: Rule
    parameters: list[nn.Parameter]
    lr_factor: float = 1.0


class LazyOptimizer(torch.optim.Optimizer):
    """Updates parameters with dense gradients, and the rows of sparse gradients.

    The cost of a step grows with the rows in it, not with the size of the table. Sparse gradients must be coalesced, as
    :meth:`gatewise.nn.EmbeddingTables.row_gradients` makes them.

    Args:
        groups: the parameters, with their rules.
        lr: common learning rate, which schedules change.
    """

    def __init__(self, groups: list[Group], lr: float) -> None:
        # rules are kept outside the groups, which checkpoints save as plain values
        self.rules = [group.rule for group in groups]
        plain = [
            {"params": group.parameters, "weight_decay": group.rule.weight_decay, "lr": lr * group.lr_factor}
            for group in groups
        ]
        super().__init__(plain, {"lr": lr})

    @override
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Delete all gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    @override
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Make one step with the current gradients."""
        for group, rule in zip(self.param_groups, self.rules, strict=True):
            lr = group["lr"]
            dense: dict[int, list[tuple[Tensor, Tensor, State]]] = {}
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                step, state = self._remembered(parameter, rule)
                if gradient.is_sparse:
                    rule.move_rows(parameter, gradient._indices()[0], gradient._values(), state, lr=lr, step=step)
                else:
                    dense.setdefault(step, []).append((parameter, gradient, state))
            for step, moved in dense.items():
                weights, gradients, states = zip(*moved, strict=True)
                rule.move_all(weights, gradients, states, lr=lr, step=step)

    def _remembered(self, parameter: nn.Parameter, rule: Rule) -> tuple[int, State]:
        """Return the number of this step and the rule's state of the parameter."""
        kept = self.state[parameter]
        if not kept:
            kept.update(step=0, rule=rule.state(parameter.detach()))
        kept["step"] += 1
        return kept["step"], kept["rule"]
