"""Vectors that were learnt elsewhere."""

from __future__ import annotations

import os
from dataclasses import field
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from gatewise.declare.base import Name, declaration

ARRAY_SUFFIX = ".npy"
PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")

Path = Annotated[str, BeforeValidator(lambda value: os.fspath(value) if isinstance(value, os.PathLike) else value)]


@declaration
class Pretrained:
    """A file with vectors for the values of a feature, read once at the beginning of a training.

    The artefact holds the vectors, so that loading and serving need no file.

    Example:
        >>> Pretrained("movies.parquet", key="movie_id").frozen
        True
    """

    path: Path
    """A Parquet or Arrow file with a column of keys and one of vectors, or a ``.npy`` array with one row per id."""
    frozen: bool = field(default=True, kw_only=True)
    """Whether the table stays as it is; otherwise it is trained with the other layers."""
    key: Name = field(default="id", kw_only=True)
    """The file's column of values."""
    vector: Name = field(default="vector", kw_only=True)
    """The file's column of vectors, each as wide as the feature's embedding."""

    @model_validator(mode="after")
    def _known_file(self) -> Pretrained:
        known = (ARRAY_SUFFIX, *PARQUET_SUFFIXES, *ARROW_SUFFIXES)
        if not self.path.lower().endswith(known):
            raise ValueError(f"path: expected a file ending in {', '.join(known)}, found {self.path!r}")
        return self

    @property
    def is_array(self) -> bool:
        """Whether the file is an array, whose rows are ids."""
        return self.path.lower().endswith(ARRAY_SUFFIX)


def _of_path(value: Any) -> Any:
    return {"path": value} if isinstance(value, (str, os.PathLike)) else value


PretrainedVectors = Annotated[Pretrained, BeforeValidator(_of_path)]
"""A :class:`Pretrained`, or its path."""
