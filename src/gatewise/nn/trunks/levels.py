"""The levels of a trunk, in which gates mix experts; and hooks that observe or change a mixture while a model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn

from gatewise.nn.experts.experts import Experts, MixtureHook
from gatewise.nn.gates.gates import Gated, gated
from gatewise.nn.trunks.trunk import Trunk


class Level(NamedTuple):
    """Experts and the gates that mix them.

    Attributes:
        name: ``level 1`` ..., or ``experts`` in a trunk with one level.
        gates: the module that weighs the experts.
        experts: the experts.
        gate_names: the owner of each gate: a task, or another unit of the trunk; a single gate serves all tasks.
        expert_names: ``expert 0`` ..., or the owner's name and a number if experts have owners.
    """

    name: str
    gates: nn.Module
    experts: Experts
    gate_names: tuple[str, ...]
    expert_names: tuple[str, ...]

    @property
    def reach(self) -> Tensor | None:
        """Mask of the experts that each gate weighs, ``[gate, expert]`` bool; None: all."""
        reach = getattr(self.gates, "reach", None)
        return reach if isinstance(reach, Tensor) else None

    @property
    def sparse(self) -> bool:
        """Whether the gates give weight 0 to most experts by design."""
        return bool(getattr(self.gates, "sparse", False))


def levels_of(trunk: Trunk, tasks: Sequence[str]) -> list[Level]:
    """Return the levels of a trunk, from the input upwards; an empty list for a trunk without gates or experts.

    Args:
        trunk: any trunk; a level is a module that has both ``gates`` and ``experts``.
        tasks: the tasks' names.

    Example:
        >>> from gatewise.nn import PLE
        >>> for level in levels_of(PLE(5, 2, own_experts=1, shared_experts=2, expert_dims=(4,)), ["click", "buy"]):
        ...     print(level.name, *level.expert_names, sep=", ")
        level 1, click 0, buy 0, shared 0, shared 1
        level 2, click 0, buy 0, shared 0, shared 1
    """
    mixtures = [(getattr(module, "gates", None), getattr(module, "experts", None)) for module in trunk.modules()]
    found = [
        (gates, experts) for gates, experts in mixtures if isinstance(gates, nn.Module) and isinstance(experts, Experts)
    ]
    levels = []
    for i, (gates, experts) in enumerate(found):
        name = f"level {i + 1}" if len(found) > 1 else "experts"
        units = trunk.units(tasks, i)
        levels.append(Level(name, gates, experts, units, _expert_names(experts, units)))
    return levels


def _expert_names(experts: Experts, units: Sequence[str]) -> tuple[str, ...]:
    if not experts.counts:
        return tuple(f"expert {i}" for i in range(experts.num_experts))
    return tuple(f"{unit} {i}" for unit, count in zip(units, experts.counts, strict=True) for i in range(count))


@contextmanager
def hooked(
    level: Level, *, gates: Callable[[Tensor], Tensor | None] | None = None, mixture: MixtureHook | None = None
) -> Iterator[None]:
    """Observe or change the weights and mixtures of a level while a model runs without gradients.

    Args:
        level: the level.
        gates: called with the gates' weights ``[batch, gate, expert]``; may return weights that replace them, or None.
        mixture: called with weights and outputs of every mixture, returns those to mix; these weights include the
            trunk's additions to the gates' weights, such as the residual of AdaTT.

    Example:
        >>> import torch
        >>> from gatewise.nn import MMoE
        >>> trunk, x = MMoE(5, 2, experts=3, expert_dims=(4,)), torch.ones(7, 5)
        >>> (level,) = levels_of(trunk, ["a", "b"])
        >>> with torch.no_grad(), hooked(level, mixture=lambda weights, outputs: (weights, 2 * outputs)):
        ...     doubled = trunk(x)
        >>> torch.equal(doubled, 2 * trunk(x))
        True
    """

    def told(_module: nn.Module, _inputs: Any, output: Gated | Tensor) -> Gated | None:
        assert gates is not None
        found = gated(output)
        changed = gates(found.weights)
        return None if changed is None else found._replace(weights=changed)

    handle = None if gates is None else level.gates.register_forward_hook(told)
    before, level.experts.mixture_hook = level.experts.mixture_hook, mixture or level.experts.mixture_hook
    try:
        yield
    finally:
        level.experts.mixture_hook = before
        if handle is not None:
            handle.remove()
