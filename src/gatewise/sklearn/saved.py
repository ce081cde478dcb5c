"""A fitted ranker as the bytes of its artefact, for pickles."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from gatewise.loading import load
from gatewise.ranker import Ranker


class Saved(NamedTuple):
    """The files of an artefact by name: a pickle holds these instead of pickled code of ours.

    Attributes:
        files: the content of every file.
    """

    files: dict[str, bytes]

    @classmethod
    def of(cls, ranker: Ranker) -> Saved:
        """Return the artefact of a fitted ranker."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "artefact"
            ranker.save(path)
            return cls({file.name: file.read_bytes() for file in sorted(path.iterdir())})

    def ranker(self) -> Ranker:
        """Return the ranker, on the CPU.

        Raises:
            ArtefactError: a file is damaged; names it.
        """
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.files.items():
                (Path(folder) / Path(name).name).write_bytes(content)
            return load(folder)
