"""A part of the step compiled by ``torch.compile``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch

from gatewise.errors import DeclarationError

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
