"""The weights of a trunk that tasks share."""

from __future__ import annotations

from torch import nn

from gatewise.nn import Experts, Gates, Trunk


def experts_of(trunk: Trunk) -> list[nn.Parameter]:
    """Return the weights of all experts, or of the trunk without its gates if it has no experts."""
    return [weight for unit in _units(trunk) for _, weight in _trained(unit)]


def last_shared_layer(trunk: Trunk) -> list[nn.Parameter]:
    """Return the last matrix of every expert in the last level, or of the trunk if it has no experts."""
    last = _units(trunk)[-1]
    apart = getattr(last, "experts", None)
    units = list(apart) if isinstance(apart, nn.ModuleList) else [last]
    return [matrix for unit in units for matrix in _matrices(unit)[-1:]]


def _units(trunk: Trunk) -> list[nn.Module]:
    """Return the outermost sets of experts, level by level, or the trunk if it has none."""
    found: list[nn.Module] = []
    inside: set[int] = set()
    for module in trunk.modules():
        if isinstance(module, Experts) and id(module) not in inside:
            found.append(module)
            inside |= {id(part) for part in module.modules()}
    return found or [trunk]


def _matrices(unit: nn.Module) -> list[nn.Parameter]:
    """Return all weights but biases and scales; a bias may have an expert axis too."""
    return [weight for name, weight in _trained(unit) if "weight" in name.rpartition(".")[2] and weight.dim() > 1]


def _trained(unit: nn.Module) -> list[tuple[str, nn.Parameter]]:
    gates = {id(weight) for module in unit.modules() if isinstance(module, Gates) for weight in module.parameters()}
    return [
        (name, weight) for name, weight in unit.named_parameters() if weight.requires_grad and id(weight) not in gates
    ]
