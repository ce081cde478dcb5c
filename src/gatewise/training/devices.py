"""Where a training runs, and whether its step is compiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch

from gatewise.errors import DeclarationError, did_you_mean


def choose_device(name: str = "auto") -> torch.device:
    """Return the named device; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        DeclarationError: unknown name, or this machine does not have the device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeclarationError(f"device {name!r}: unknown{did_you_mean(name, available)}") from None
    if not available.get(device.type, False):
        raise DeclarationError(
            f"device {name!r}: this machine has {', '.join(k for k, there in available.items() if there)}"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeclarationError(f"device {name!r}: this machine has {torch.cuda.device_count()} CUDA devices")
    return device


Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, device: torch.device) -> Function:
    """Return a compiled function, for inputs of one size: each further size is compiled again.

    Raises:
        DeclarationError: on a CPU, if there is no C++ compiler.
    """
    options: dict[str, Any] = {}
    if device.type == "cpu":
        if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")):
            raise DeclarationError("compile: needs a C++ compiler such as g++, and this machine has none")
        # much of a step's time is Python code between kernels, which the C++ wrapper avoids
        options["cpp_wrapper"] = True
    made: Any = torch.compile(function, dynamic=False, options=options)
    return cast("Function", made)
