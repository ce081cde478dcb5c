"""The examination of a machine: versions, kernels, threads, devices, memory, extras."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from typing import Any

import torch

from gatewise.kernels import in_use
from gatewise.machine.extras import Extra, extras, installed
from gatewise.machine.threads import SPIN_COUNT, spin_count
from gatewise.version import __version__


@dataclass(frozen=True)
class Examination:
    """The result of an examination, as plain data.

    Attributes:
        versions: of Gatewise, Python and the packages that every installation has.
        kernels: ``run`` (``compiled`` or ``PyTorch``), ``why``, and ``path`` of the library or None.
        threads: how many threads compute, on how many cores, and how they wait (None: they spin).
        devices: the CPU and the accelerators that torch can use.
        memory: ``allocator``, and whether it can be told to keep freed memory.
        extras: the optional packages.
    """

    versions: dict[str, str | None]
    kernels: dict[str, str | None]
    threads: dict[str, int | str | None]
    devices: list[str]
    memory: dict[str, str | bool]
    extras: list[Extra]

    def to_dict(self) -> dict[str, Any]:
        """Return the examination as JSON values, with the command that installs each extra."""
        found = asdict(self)
        for values, extra in zip(found["extras"], self.extras, strict=True):
            values["install"] = extra.install
        return found


def examine() -> Examination:
    """Examine this machine; only the cache of compiled kernels is written."""
    kernels = in_use()
    return Examination(
        versions={
            "gatewise": __version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            **{package: installed(package) for package in ("numpy", "pyarrow")},
        },
        kernels={
            "run": "PyTorch" if kernels.kernels is None else "compiled",
            "why": kernels.why,
            "path": None if kernels.kernels is None else str(kernels.kernels.path),
        },
        threads={"compute": torch.get_num_threads(), "cores": _cores(), SPIN_COUNT: spin_count()},
        devices=_devices(),
        memory=_memory(),
        extras=extras(),
    )


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _devices() -> list[str]:
    found = [f"cpu ({platform.machine()})"]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        found.append(f"cuda:{index} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)")
    return [*found, *(["mps"] if torch.backends.mps.is_available() else [])]


def _memory() -> dict[str, str | bool]:
    name, version = platform.libc_ver()
    return {"allocator": f"{name} {version}".strip() or "of the system", "can_keep_freed_memory": name == "glibc"}
