"""The cache of the compiled library, and the check of a cached library before it is loaded.

A loaded library is executed. So a file is loaded only if this user wrote it, nobody else can write it, and its name
holds the checksum of its bytes; it is loaded through the file descriptor that was checked.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from gatewise.files import OTHERS_WRITE, ours_alone
from gatewise.kernels.building import build, checksum, digest

Loaded = TypeVar("Loaded")
DESCRIPTORS = Path("/proc/self/fd")


def cache_folder() -> Path | None:
    """Return the user's cache folder of Gatewise; None for a user without a home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG standard says that a relative path is to be ignored
    if Path(given).is_absolute():
        return Path(given) / "gatewise"
    try:
        return Path.home() / ".cache" / "gatewise"
    except RuntimeError:
        return None


class PrivateFolder:
    """A folder of this user, made if necessary, in which nobody else can write while it is used.

    Raises:
        OSError: the folder cannot be made, or belongs to another user.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> PrivateFolder:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            found = os.fstat(self._descriptor)
            if found.st_uid != os.geteuid():
                raise PermissionError(f"{self.path} belongs to another user")
            if found.st_mode & OTHERS_WRITE:
                os.fchmod(self._descriptor, stat.S_IMODE(found.st_mode) & ~OTHERS_WRITE)
        except OSError:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def loaded(self, variant: tuple[str, ...], load: Callable[[Path, Path], Loaded]) -> Loaded:
        """Return the loaded library of these options, built first if it is missing.

        Args:
            variant: options of the compiler.
            load: loads a library, given the path to load and the path to show.

        Raises:
            OSError: the library cannot be built, written or loaded.
            subprocess.SubprocessError: the compiler fails.
        """
        prefix = f"kernels-{digest(variant)}-"
        name = self._found(prefix) or self._built(prefix, variant)
        descriptor = self._checked(name)
        if descriptor is None:
            raise FileNotFoundError(self.path / name)
        if not DESCRIPTORS.is_dir():
            os.close(descriptor)
            return load(self.path / name, self.path / name)
        # stays open: the loader knows libraries by path, and a reused descriptor would mean another file
        return load(DESCRIPTORS / str(descriptor), self.path / name)

    def _found(self, prefix: str) -> str | None:
        """Return the name of a valid library with a prefix; invalid ones are removed."""
        for name in sorted(os.listdir(self._descriptor)):  # noqa: PTH208 (pathlib takes no descriptors)
            if name.startswith(prefix) and name.endswith(".so"):
                descriptor = self._checked(name)
                if descriptor is not None:
                    os.close(descriptor)
                    return name
                os.unlink(name, dir_fd=self._descriptor)
        return None

    def _built(self, prefix: str, variant: tuple[str, ...]) -> str:
        with tempfile.TemporaryDirectory(dir=self.path) as folder:
            built = build(Path(folder), variant)
            built.chmod(0o700)
            name = f"{prefix}{_checksum(built.read_bytes())}.so"
            os.rename(built, name, dst_dir_fd=self._descriptor)
        return name

    def _checked(self, name: str) -> int | None:
        """Return a descriptor of a file if only this user could have written it and its name holds its checksum."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._descriptor)
        except OSError:
            return None
        found = os.fstat(descriptor)
        ours = stat.S_ISREG(found.st_mode) and ours_alone(found)
        if ours:
            with os.fdopen(os.dup(descriptor), "rb") as file:
                ours = name.endswith(f"-{_checksum(file.read())}.so")
        if ours:
            return descriptor
        os.close(descriptor)
        return None


def _checksum(content: bytes) -> str:
    return checksum(content)[:32]
