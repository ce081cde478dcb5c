"""The compiled kernels: built once with the machine's C compiler, kept in the user's cache, loaded when first needed.

Where there is no compiler, or what it builds does not load, everything runs on PyTorch with the same results.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

# read with this module, so that functions and the signatures below always belong together
SOURCE = Path(__file__).with_name("kernels.c").read_bytes()
FLAGS = ("-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math")
# tried in this order: OpenMP's runtime is the one that torch has brought, so it is not linked again
VARIANTS = (("-march=native", "-fopenmp"), ("-march=native",), ())
SWITCH = "GATEWISE_KERNELS"

POINTER, INT64, FLOAT, INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int
LOOKUPS = (POINTER, POINTER, INT64, INT64)
MIX = (POINTER, POINTER, INT64, INT64, FLOAT)
GROUPS = (POINTER, INT64, INT64, POINTER)
SIGNATURES = {
    "gather": (None, (*LOOKUPS, POINTER, INT64, POINTER, INT64, POINTER, INT)),
    "sum_rows": (INT64, (*LOOKUPS, POINTER, INT64, INT64, POINTER, POINTER, INT)),
    "adam": (None, (*[POINTER] * 5, INT64, *[FLOAT] * 7, INT)),
    "adam_rows": (None, (*[POINTER] * 5, INT64, INT64, *[FLOAT] * 7, INT)),
    "mix": (None, (*MIX, POINTER, *[INT64] * 4, INT)),
    "group_linear": (INT, (*GROUPS, POINTER, FLOAT, POINTER, *[INT64] * 4, INT)),
    "group_linear_backward": (INT, (*GROUPS, POINTER, FLOAT, *[POINTER] * 4, *[INT64] * 4, INT)),
    "mix_backward": (None, (*MIX, *[POINTER] * 3, *[INT64] * 4, INT)),
}


def compiled(*tensors: Tensor) -> ctypes.CDLL | None:
    """Return the compiled kernels if they can work on these tensors."""
    return library() if plain(*tensors) else None


def plain(*tensors: Tensor) -> bool:
    """Whether all are float32 in memory, and nobody traces the call."""
    for tensor in tensors:
        if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
            return False
    return not torch.compiler.is_compiling()


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled kernels, built if need be; None where that is impossible or ``GATEWISE_KERNELS=torch``."""
    if os.environ.get(SWITCH) == "torch" or os.name != "posix":
        return None
    for variant in VARIANTS:
        name = f"kernels-{_digest(variant)}.so"
        for folder in _folders():
            try:
                return _load(_built(folder / name, variant))
            except (OSError, subprocess.SubprocessError, AttributeError):
                continue
    return None


def describe() -> str:
    """Say what runs the inner loops on this machine."""
    found = library()
    return "torch" if found is None else f"C ({found._name})"


def _folders() -> list[Path]:
    """Return where the library may be kept: the user's cache, or a folder of this process alone."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return [Path(cache) / "gatewise", Path(tempfile.gettempdir()) / f"gatewise-{os.getuid()}-{os.getpid()}"]


def _built(path: Path, variant: tuple[str, ...]) -> Path:
    if path.exists() and _own(path):
        return path
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise FileNotFoundError("cc")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        Path(folder, "kernels.c").write_bytes(SOURCE)
        for command in (
            [compiler, *FLAGS, *variant, "-c", "kernels.c", "-o", "kernels.o"],
            [compiler, "-shared", "kernels.o", "-o", "kernels.so", "-lm"],
        ):
            subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder)
        Path(folder, "kernels.so").replace(path)
    return path


def _own(path: Path) -> bool:
    """Whether nobody else can have written the file: what is loaded runs."""
    return all(p.stat().st_uid == os.getuid() and not p.stat().st_mode & 0o022 for p in (path, path.parent))


def _load(path: Path) -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(path))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _digest(variant: tuple[str, ...]) -> str:
    """Tell sources, options and processors apart: the library is built for one kind of processor."""
    processor = platform.machine() + platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        processor += "".join(sorted({line for line in lines if line.startswith(("flags", "model name", "Features"))}))
    return hashlib.blake2b(repr((SOURCE, FLAGS, variant, processor)).encode(), digest_size=10).hexdigest()
