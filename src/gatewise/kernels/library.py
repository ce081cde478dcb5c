"""The compiled kernels: built once with the machine's C compiler, kept in the user's cache, loaded when first needed.

Where there is no compiler, or what it builds does not load, everything runs on PyTorch with the same results.
"""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from ctypes import CDLL
from pathlib import Path

import torch
from torch import Tensor

from gatewise.kernels.building import VARIANTS, build
from gatewise.kernels.cache import PrivateFolder, cache_folder
from gatewise.kernels.calls import Kernels

SWITCH = "GATEWISE_KERNELS"
ASAN = "asan"
"""Value of the switch that builds with AddressSanitizer, for ``make asan``."""


def compiled(*tensors: Tensor) -> Kernels | None:
    """Return the compiled kernels if they can work on these tensors."""
    return library() if plain(*tensors) else None


def plain(*tensors: Tensor) -> bool:
    """Whether all are float32 in memory, and nobody traces the call."""
    for tensor in tensors:
        if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
            return False
    return not torch.compiler.is_compiling()


@functools.cache
def library() -> Kernels | None:
    """Return the compiled kernels, built if need be; None where that is impossible or ``GATEWISE_KERNELS=torch``."""
    switch = os.environ.get(SWITCH)
    if switch == "torch" or os.name != "posix":
        return None
    for variant in VARIANTS:
        more = ("-fsanitize=address", "-g") if switch == ASAN else ()
        for load in (_kept, _for_this_process):
            try:
                return load((*variant, *more))
            except (OSError, subprocess.SubprocessError, AttributeError):
                continue
    return None


def describe() -> str:
    """Say what runs the inner loops on this machine."""
    found = library()
    return "torch" if found is None else f"C ({found.path})"


def _kept(variant: tuple[str, ...]) -> Kernels:
    """Load what is in the user's cache, or build it there."""
    folder = cache_folder()
    if folder is None:
        raise FileNotFoundError("there is no folder for a cache")
    with PrivateFolder(folder) as cache:
        return cache.loaded(variant, _load)


def _for_this_process(variant: tuple[str, ...]) -> Kernels:
    """Build in a folder of an unguessable name that nobody else can enter, and that is gone once the code is loaded."""
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        built = build(Path(folder), variant)
        return _load(built, built)


def _load(library: Path, path: Path) -> Kernels:
    return Kernels(CDLL(str(library)), path)
