"""From ``kernels.c`` to a library, with the machine's C compiler; for this machine alone, or for a wheel.

Imports nothing but Python's own modules: the build of a wheel reads this file where Gatewise is not installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

# read together with this module, so that the functions always match their signatures
SOURCE = Path(__file__).with_name("kernels.c").read_bytes()
FLAGS = ("-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math")
# tried in this order; torch has loaded OpenMP's runtime, so it is not linked again
VARIANTS = (("-march=native", "-fopenmp"), ("-march=native",), ())
LEVELS = ("x86-64-v4", "x86-64-v3", "x86-64")
"""The levels of processors with a library in a wheel, the highest first."""
RECORD = "built.json"


class NoCompilerError(FileNotFoundError):
    """There is no C compiler of the given name."""


def build(folder: Path, variant: tuple[str, ...]) -> Path:
    """Return the path of a library compiled and linked within a private folder.

    Raises:
        NoCompilerError: there is no compiler.
        OSError: the folder cannot be written.
        subprocess.SubprocessError: the compiler fails, or takes longer than a minute.
    """
    compiler = _compiler()
    (folder / "kernels.c").write_bytes(SOURCE)
    sanitize = [option for option in variant if option.startswith("-fsanitize")]
    for command in (
        [*compiler, *FLAGS, *variant, "-c", "kernels.c", "-o", "kernels.o"],
        [*compiler, "-shared", *sanitize, "kernels.o", "-o", "kernels.so", "-lm"],
    ):
        # the compiler's temporary files stay in the folder, too
        environment = {**os.environ, "TMPDIR": str(folder)}
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder, env=environment)
    return folder / "kernels.so"


def build_levels(folder: Path) -> None:
    """Build one library per level of x86-64, and record the checksums of source and libraries.

    Raises:
        OSError, subprocess.SubprocessError: as :func:`build`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checksums = {}
    for level in LEVELS:
        with tempfile.TemporaryDirectory() as place:
            content = build(Path(place), (f"-march={level}", "-fopenmp")).read_bytes()
        (folder / library_name(level)).write_bytes(content)
        checksums[level] = checksum(content)
    record = {"source": checksum(SOURCE), "libraries": checksums}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def library_name(level: str) -> str:
    """Return the name of a level's library."""
    return f"kernels-{level}.so"


def checksum(content: bytes) -> str:
    """Return the SHA-256 sum of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


def digest(variant: tuple[str, ...]) -> str:
    """Return a digest of source, options and processor, for which a library is built."""
    processor = platform.machine() + platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        processor += "".join(sorted({line for line in lines if line.startswith(("flags", "model name", "Features"))}))
    return hashlib.blake2b(repr((SOURCE, FLAGS, variant, processor)).encode(), digest_size=10).hexdigest()


def _compiler() -> list[str]:
    """Return the command of ``CC``, or ``cc``; a path relative to the working directory is refused."""
    name, *options = shlex.split(os.environ.get("CC", "")) or ["cc"]
    path = shutil.which(name)
    if path is None or not Path(path).is_absolute():
        raise NoCompilerError(f"there is no C compiler {name!r}")
    return [path, *options]
