"""Optimisers of torch as training options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from gatewise.compat.moved import NoCounterpartError

OPTIMISERS: dict[type[torch.optim.Optimizer], str] = {
    torch.optim.Adam: "adam",
    torch.optim.AdamW: "adamw",
    torch.optim.SGD: "sgd",
    torch.optim.Adagrad: "adagrad",
    torch.optim.RMSprop: "rmsprop",
}


def optimiser_options(kind: Any, given: Mapping[str, Any], library: str) -> dict[str, Any]:
    """Return training options for an optimiser of torch: ``optimizer``, ``lr``, ``weight_decay``, ``momentum``.

    Args:
        kind: the class.
        given: arguments of its constructor.
        library: for messages.

    Raises:
        NoCounterpartError: another class, or an argument that is not torch's default and not an option here.
    """
    if kind not in OPTIMISERS:
        raise NoCounterpartError(f"the optimiser {getattr(kind, '__name__', kind)!r}", library)
    defaults = kind([torch.nn.Parameter(torch.zeros(1))]).defaults
    names = {"lr", "weight_decay"} | ({"momentum"} if kind is torch.optim.SGD else set())
    for name, value in given.items():
        if name not in names and value != defaults.get(name):
            raise NoCounterpartError(f"{name}={value!r} of {kind.__name__}", library)
    return {"optimizer": OPTIMISERS[kind]} | {name: float((defaults | dict(given))[name]) for name in sorted(names)}
