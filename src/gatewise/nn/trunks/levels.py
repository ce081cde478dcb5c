"""The levels of a trunk: where gates mix experts, and a way to look at that, or to change it, while a model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn

from gatewise.nn.experts.experts import Experts, Lens
from gatewise.nn.gates.gates import Gated, gated
from gatewise.nn.trunks.trunk import Trunk


class Level(NamedTuple):
    """Experts and the gates that mix them.

    Attributes:
        name: ``level 1`` ..., or ``experts`` in a trunk with one level.
        gates: the module that weighs.
        experts: the experts that it weighs.
        gate_names: what each gate is for: tasks, or other units of the trunk; a single gate is for all tasks.
        expert_names: ``expert 0`` ..., or the owner's name and a number where experts have owners.
    """

    name: str
    gates: nn.Module
    experts: Experts
    gate_names: tuple[str, ...]
    expert_names: tuple[str, ...]

    @property
    def reach(self) -> Tensor | None:
        """Which experts each gate weighs, ``[gate, expert]`` bool; None: all."""
        reach = getattr(self.gates, "reach", None)
        return reach if isinstance(reach, Tensor) else None

    @property
    def sparse(self) -> bool:
        """Whether the gates are meant to give most experts no weight."""
        return bool(getattr(self.gates, "sparse", False))


def levels_of(trunk: Trunk, tasks: Sequence[str]) -> list[Level]:
    """Return the levels of a trunk, the one that reads the input first; none where no gates mix experts.

    Args:
        trunk: any trunk; a level is a module that has both ``gates`` and ``experts``.
        tasks: their names.

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
def tapped(
    level: Level, *, gates: Callable[[Tensor], Tensor | None] | None = None, mixture: Lens | None = None
) -> Iterator[None]:
    """Look at what happens in a level, or change it, while a model runs without gradients.

    Args:
        level: where.
        gates: is given the gates' weights ``[batch, gate, expert]``; what it returns takes their place, if anything.
        mixture: is given weights and outputs of every mixture and says what is mixed; the weights are the gates' with
            what the trunk adds to them, such as the residual of AdaTT.

    Example:
        >>> import torch
        >>> from gatewise.nn import MMoE
        >>> trunk, x = MMoE(5, 2, experts=3, expert_dims=(4,)), torch.ones(7, 5)
        >>> (level,) = levels_of(trunk, ["a", "b"])
        >>> with torch.no_grad(), tapped(level, mixture=lambda weights, outputs: (weights, 2 * outputs)):
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
    before, level.experts.lens = level.experts.lens, mixture or level.experts.lens
    try:
        yield
    finally:
        level.experts.lens = before
        if handle is not None:
            handle.remove()
