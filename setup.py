"""The wheel with compiled kernels; everything else about the package is in pyproject.toml.

``GATEWISE_BUILD_KERNELS=1`` builds them for Linux on x86-64, into a wheel that any Python on such a machine takes.
Without it the wheel is for all machines, and the kernels are compiled where they first run.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

WANTED = os.environ.get("GATEWISE_BUILD_KERNELS", "") not in ("", "0")
KERNELS = Path("gatewise", "kernels")
OLDEST = (2, 17)
"""The glibc of manylinux2014, which all systems have that torch runs on."""


def building() -> ModuleType:
    """Return the module that compiles; the package itself would import torch."""
    path = Path(__file__).parent / "src" / KERNELS / "building.py"
    spec = importlib.util.spec_from_file_location("building", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BuildKernels(build_py):
    """Copies the Python files, and puts the libraries beside them."""

    def run(self) -> None:
        """Copy, and build where that is wanted."""
        super().run()
        folder = Path(self.build_lib) / KERNELS / "compiled"
        # what an earlier build left there
        shutil.rmtree(folder, ignore_errors=True)
        if WANTED and not self.editable_mode:
            if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
                sys.exit("GATEWISE_BUILD_KERNELS: expected Linux on x86_64, found " + platform.platform())
            building().build_levels(folder)
            for library in folder.glob("*.so"):
                check_glibc(library)


def check_glibc(library: Path) -> None:
    """Refuse a library that systems with an older glibc could not load."""
    needed = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())}
    if max(needed, default=OLDEST) > OLDEST:
        sys.exit(f"{library.name}: expected to need glibc {OLDEST} or older, found {max(needed)}")


class PlatformWheel(bdist_wheel):
    """No Python ABI is used: one wheel per kind of machine."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return Python, ABI and platform as they stand in the wheel's name."""
        return ("py3", "none", f"manylinux_{OLDEST[0]}_{OLDEST[1]}_x86_64") if WANTED else super().get_tag()


class WithKernels(Distribution):
    """Belongs where files of one kind of machine are installed."""

    def has_ext_modules(self) -> bool:
        """Whether the wheel holds machine code."""
        return WANTED


setup(distclass=WithKernels, cmdclass={"build_py": BuildKernels, "bdist_wheel": PlatformWheel})
