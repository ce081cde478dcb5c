"""Which weights of a trunk are shared between tasks."""

from __future__ import annotations

from torch import nn

from gatewise.nn import Experts, Gates, Trunk


def experts_of(trunk: Trunk) -> list[nn.Parameter]:
    """Return the weights of all experts, or all of the trunk but its gates where it has no experts."""
    return [weight for unit in _units(trunk) for weight in _trained(unit)]


def last_shared_layer(trunk: Trunk) -> list[nn.Parameter]:
    """Return the last matrix of every expert in the last level, or of the trunk where it has no experts."""
    last = _units(trunk)[-1]
    apart = getattr(last, "experts", None)
    units = list(apart) if isinstance(apart, nn.ModuleList) else [last]
    return [[weight for weight in _trained(unit) if weight.dim() > 1][-1] for unit in units]


def _units(trunk: Trunk) -> list[nn.Module]:
    """Return all sets of experts, level by level, none of them within another; the trunk where there are none."""
    found: list[nn.Module] = []
    inside: set[int] = set()
    for module in trunk.modules():
        if isinstance(module, Experts) and id(module) not in inside:
            found.append(module)
            inside |= {id(part) for part in module.modules()}
    return found or [trunk]


def _trained(unit: nn.Module) -> list[nn.Parameter]:
    gates = {id(weight) for module in unit.modules() if isinstance(module, Gates) for weight in module.parameters()}
    return [weight for weight in unit.parameters() if weight.requires_grad and id(weight) not in gates]
