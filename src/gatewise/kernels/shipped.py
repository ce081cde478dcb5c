"""The libraries in the wheel: the choice for this processor, and the check that a library matches the source.

They are trusted like the Python files beside them. Checksums, recorded when the wheel was built, ensure that source and
library match: with another ``kernels.c`` no library is loaded.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gatewise.kernels.building import LEVELS, RECORD, SOURCE, checksum, library_name

Loaded = TypeVar("Loaded")
FOLDER = Path(__file__).with_name("compiled")
CPUINFO = Path("/proc/cpuinfo")
AVX2 = frozenset({"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"})
NEEDS = {
    "x86-64-v4": AVX2 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"},
    "x86-64-v3": AVX2,
    "x86-64": frozenset[str](),
}
"""Flags that a processor needs for the library of a level."""


def load_shipped(load: Callable[[Path, Path], Loaded], folder: Path = FOLDER) -> tuple[Loaded, str]:
    """Return the loaded library of the package for this processor.

    Args:
        load: is given what to load, and the path that it is known by.
        folder: holds the libraries and their checksums.

    Returns:
        The loaded library, and its origin in words.

    Raises:
        FileNotFoundError: the package has no library, or none for this machine.
        OSError: the library does not load, or was built from another source.
        ValueError: the record of checksums is damaged.
    """
    record = json.loads((folder / RECORD).read_bytes())
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        raise FileNotFoundError("the wheel is for another machine")
    level = best_level(processor_flags())
    path = folder / library_name(level)
    if record.get("source") != checksum(SOURCE):
        raise OSError(f"{path.name} in the wheel was built from another kernels.c")
    if record.get("libraries", {}).get(level) != checksum(path.read_bytes()):
        raise OSError(f"{path.name} in the wheel is not what was built")
    return load(path, path), f"built in the wheel for {level}"


def best_level(flags: frozenset[str]) -> str:
    """Return the highest level of a processor with these flags."""
    return next(level for level in LEVELS if NEEDS[level] <= flags)


def processor_flags() -> frozenset[str]:
    """Return the processor's flags, as the system lists them; empty if it does not."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), ()))
