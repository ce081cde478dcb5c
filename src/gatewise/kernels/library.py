"""The compiled kernels: from the wheel, or built once with the machine's C compiler and kept.

They are loaded when first needed. Without them everything runs on PyTorch with equal results.
"""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.kernels.building import VARIANTS, NoCompilerError, build
from gatewise.kernels.cache import PrivateFolder, cache_folder
from gatewise.kernels.calls import Kernels
from gatewise.kernels.shipped import load_shipped

SWITCH = "GATEWISE_KERNELS"
LONGEST = 160
"""Most letters of an error."""
ASAN = "asan"
"""Value of the switch that builds with AddressSanitizer, for ``make asan``."""


def compiled(*tensors: Tensor) -> Kernels | None:
    """Return the compiled kernels if they can compute with these tensors, else None."""
    return library() if float32_on_cpu(*tensors) else None


def float32_on_cpu(*tensors: Tensor) -> bool:
    """Whether all tensors are float32 on the CPU, and the call is not traced."""
    for tensor in tensors:
        if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
            return False
    return not torch.compiler.is_compiling()


@dataclass(frozen=True)
class InUse:
    """The kernels that run the inner loops.

    Attributes:
        kernels: the compiled kernels; None: PyTorch.
        why: the source of the compiled kernels, or the reason why there are none, in one line.
    """

    kernels: Kernels | None
    why: str

    @override
    def __str__(self) -> str:
        return f"{'PyTorch' if self.kernels is None else 'compiled'} ({self.why})"


@functools.cache
def library() -> Kernels | None:
    """Return the compiled kernels, built if necessary; None if impossible or ``GATEWISE_KERNELS=torch``."""
    return in_use().kernels


@functools.cache
def in_use() -> InUse:
    """Return the kernels in use: those of the package, of the user's cache, or built by the C compiler."""
    switch = os.environ.get(SWITCH)
    if switch == "torch":
        return InUse(None, f"switched off by {SWITCH}=torch")
    if os.name != "posix":
        return InUse(None, f"there are none for {os.name}")
    if switch == ASAN:
        return _compiled_here(("-fsanitize=address", "-g"))
    try:
        return InUse(*load_shipped(_load))
    except FileNotFoundError:
        return _compiled_here()
    except (OSError, ValueError, AttributeError) as error:
        here = _compiled_here()
        return here if here.kernels is not None else InUse(None, f"{_one_line(error)}; {here.why}")


def _compiled_here(more: tuple[str, ...] = ()) -> InUse:
    why = ""
    for variant in VARIANTS:
        for load in (_kept, _for_this_process):
            try:
                return InUse(load((*variant, *more)), "built on this machine")
            except NoCompilerError as error:
                why = str(error)
            except (OSError, subprocess.SubprocessError, AttributeError) as error:
                why = f"the build failed: {_one_line(error)}"
    return InUse(None, why)


def _one_line(error: Exception) -> str:
    """Return one line of an error; of a compiler's output the first line with "error", or the first line."""
    said = getattr(error, "stderr", None) or b""
    lines = said.decode(errors="replace").split("\n") if isinstance(said, bytes) else []
    lines = [line.strip() for line in lines if line.strip()] or [" ".join(str(error).split())]
    return next((line for line in lines if "error" in line), lines[0])[:LONGEST]


def describe() -> str:
    """Return the kernels in use, in words: ``C`` and the library's path, or ``torch`` and the reason."""
    now = in_use()
    return f"torch: {now.why}" if now.kernels is None else f"C ({now.kernels.path})"


def _kept(variant: tuple[str, ...]) -> Kernels:
    """Return the kernels in the user's cache, built there if missing."""
    folder = cache_folder()
    if folder is None:
        raise FileNotFoundError("there is no folder for a cache")
    with PrivateFolder(folder) as cache:
        return cache.loaded(variant, _load)


def _for_this_process(variant: tuple[str, ...]) -> Kernels:
    """Return kernels built in a private temporary folder, which is removed once they are loaded."""
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        built = build(Path(folder), variant)
        return _load(built, built)


def _load(library: Path, path: Path) -> Kernels:
    return Kernels(CDLL(str(library)), path)
