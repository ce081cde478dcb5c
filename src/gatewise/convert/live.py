"""What live models of other libraries say of themselves: activations, dropout, names of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from gatewise.errors import DeclarationError, shown

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Tanh: "tanh",
    nn.LeakyReLU: "leaky_relu",
    nn.Sigmoid: "sigmoid",
    nn.PReLU: "prelu",
}
"""Names of activations that both have."""


def activation_name(module: nn.Module) -> str:
    """Return the name of an activation.

    Raises:
        DeclarationError: Gatewise does not have it, or has it with other constants.
    """
    if type(module).__name__ == "Dice":
        raise DeclarationError("activation 'dice': neither library computes the Dice of the paper: no counterpart")
    name = ACTIVATIONS.get(type(module))
    own = "" if name is None else repr(type(module)())
    if name is None or repr(module).replace("inplace=True", "") != own:
        known = shown(ACTIVATIONS.values())
        raise DeclarationError(f"activation {module!r} has no counterpart (activations: {known})")
    return name


def only_one(what: str, found: Iterable[Any], default: Any) -> Any:
    """Return the only value among those found, or ``default`` if there is none.

    Raises:
        DeclarationError: there are several.
    """
    values = sorted(set(found))
    if len(values) > 1:
        raise DeclarationError(f"{what}: expected the same in all of them, found {shown(map(str, values))}")
    return values[0] if values else default


def class_name(model: nn.Module, library: str, known: Sequence[str]) -> str:
    """Return the name of a model's class.

    Raises:
        DeclarationError: it is not one of the library's classes that can be converted.
    """
    found = type(model)
    if found.__module__.split(".")[0] != library.replace("-", "_") or found.__name__ not in known:
        whose = f"{found.__module__}.{found.__name__}"
        raise DeclarationError(f"{whose}: expected one of {library}'s {shown(known)}: others may compute anything")
    return found.__name__


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside ``DataParallel``, or the model itself."""
    return model.module if isinstance(model, nn.DataParallel) else model


def check_count(model: str, tasks: Sequence[str] | None, kinds: Sequence[str]) -> list[str]:
    """Return the names of the tasks.

    Raises:
        DeclarationError: there is not one name per task.
    """
    found = list(tasks or ())
    if len(found) != len(kinds):
        which = ": the step before, such as a click, and the step after" if model == "ESMM" else ""
        raise DeclarationError(f"tasks: expected {len(kinds)} names, one per task of {model}{which}, found {found}")
    return found
