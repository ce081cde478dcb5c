"""One file on a file system of Arrow: the local disk, a bucket, HDFS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs

LOCAL = fs.LocalFileSystem()


@dataclass(frozen=True)
class StoredFile:
    """A file, by its place and by the name that messages show.

    Attributes:
        system: a file system of Arrow.
        path: the path on that file system.
        shown: the name for messages, without credentials.
    """

    system: Any
    path: str
    shown: str

    @classmethod
    def local(cls, path: str | Path) -> StoredFile:
        """Return a file of the local disk."""
        return cls(LOCAL, str(path), str(path))

    @property
    def is_local(self) -> bool:
        """Whether the file lies on the local disk."""
        return isinstance(self.system, fs.LocalFileSystem)

    def open_file(self) -> pa.NativeFile:
        """Open the file for reading anywhere in it."""
        return self.system.open_input_file(self.path)

    def open_stream(self) -> pa.NativeFile:
        """Open the file for reading from its beginning, uncompressed."""
        compression = "gzip" if self.path.lower().endswith(".gz") else None
        return self.system.open_input_stream(self.path, compression=compression)

    @property
    def bytes(self) -> int:
        """The file's size."""
        return int(self.system.get_file_info(self.path).size or 0)

    def version(self) -> list[str]:
        """Return what tells this version of the file from others: size, time of change and, in a bucket, ETag."""
        info = self.system.get_file_info(self.path)
        known = [str(Path(self.path).absolute()) if self.is_local else self.path, str(info.size), str(info.mtime_ns)]
        if not self.is_local:
            # times in a bucket are whole seconds
            with self.system.open_input_stream(self.path) as stream:
                known.append(str((stream.metadata() or {}).get("ETag")))
        return known
