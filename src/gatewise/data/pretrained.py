"""Files of vectors that were learnt elsewhere, as rows of an embedding table."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from gatewise.data.columns.vector import VectorColumn
from gatewise.data.reading import first_line
from gatewise.data.tables import pick_column, read_table
from gatewise.data.values import as_keys
from gatewise.data.vocabularies import LEARNT_FROM, AnyVocabulary, NumberedVocabulary, check_type
from gatewise.declare import ARROW_SUFFIXES, Pretrained, Vector
from gatewise.errors import TableError
from gatewise.layout import OUT_OF_VOCABULARY, RESERVED_ROWS


class PretrainedRows(NamedTuple):
    """Rows of an embedding table, and their vectors.

    Shape:
        - rows: ``[row]``
        - vectors: ``[row, dim]`` float32
    """

    rows: np.ndarray
    vectors: np.ndarray


def check_there(declared: Pretrained, purpose: str) -> None:
    """Refuse a file that does not exist.

    Raises:
        TableError: names the reader and the file.
    """
    if not Path(declared.path).is_file():
        raise TableError(f"{purpose}: pretrained: there is no file {declared.path!r}")


def read_pretrained(declared: Pretrained, vocabulary: AnyVocabulary, dim: int, purpose: str) -> PretrainedRows:
    """Return the vectors of a vocabulary's values, as far as the file has them.

    Args:
        declared: the file.
        vocabulary: the feature's vocabulary; the file's other keys are left out.
        dim: width of the embedding.
        purpose: the reader, such as ``feature 'movie'``, for messages.

    Raises:
        TableError: the file cannot be read, or its vectors or keys do not fit; names the reader and the file.
    """
    check_there(declared, purpose)
    where = f"{purpose}: pretrained {declared.path!r}"
    if declared.is_array:
        return _of_array(declared, vocabulary, dim, where)
    table = _table(declared, where)
    keys = as_keys(pick_column(table, declared.key, where), where)
    matrix = _Vectors(Vector(declared.vector, dim), where).prepare(pick_column(table, declared.vector, where))
    # a null vector is none
    rows = np.where(matrix[:, -1] == 0, _rows(keys, vocabulary, where), OUT_OF_VOCABULARY)
    known = rows != OUT_OF_VOCABULARY
    return PretrainedRows(rows[known], matrix[known, :-1].astype(np.float32))


class _Vectors(VectorColumn):
    """Vectors of a file, for whose errors the file is named."""

    def __init__(self, feature: Vector, where: str) -> None:
        super().__init__(feature)
        self._where = where

    @property
    @override
    def purpose(self) -> str:
        return self._where


def _of_array(declared: Pretrained, vocabulary: AnyVocabulary, dim: int, where: str) -> PretrainedRows:
    try:
        array = np.load(declared.path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise TableError(f"{where}: cannot be read: {first_line(error)}") from None
    expected = (vocabulary.size, dim)
    if not isinstance(array, np.ndarray) or array.shape != expected or array.dtype.kind not in "fiu":
        found = f"{array.shape} of {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise TableError(f"{where}: expected numbers [id, dim] = {expected}, found {found}")
    if not np.isfinite(array).all():
        raise TableError(f"{where}: found NaN or infinity in row {np.argwhere(~np.isfinite(array))[0][0]}")
    return PretrainedRows(np.arange(vocabulary.size) + RESERVED_ROWS, array.astype(np.float32))


def _table(declared: Pretrained, where: str) -> pa.Table:
    path, columns = Path(declared.path), [declared.key, declared.vector]
    try:
        if not declared.path.lower().endswith(ARROW_SUFFIXES):
            return read_table(path, None)
        with pa.memory_map(str(path)) as file:
            return _arrow(file).select([*dict.fromkeys(columns)])
    except KeyError:
        raise TableError(f"{where}: expected columns {columns[0]!r} and {columns[1]!r}") from None
    except (pa.ArrowException, OSError, TableError) as error:
        raise TableError(f"{where}: cannot be read: {first_line(error)}") from None


def _arrow(file: pa.MemoryMappedFile) -> pa.Table:
    try:
        return pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid:
        file.seek(0)
        return pa.ipc.open_stream(file).read_all()


def _rows(keys: pa.Array, vocabulary: AnyVocabulary, where: str) -> np.ndarray:
    """Return the row of every key; unknown keys are out of vocabulary."""
    check_type(keys.type, vocabulary.type, where, LEARNT_FROM)
    if keys.null_count:
        raise TableError(f"{where}: a key is null")
    if len(pc.unique(keys)) != len(keys):
        counts = pc.value_counts(keys)
        twice = counts.field("values")[int(np.argmax(counts.field("counts").to_numpy() > 1))]
        raise TableError(f"{where}: key {twice.as_py()!r} stands there twice")
    if isinstance(vocabulary, NumberedVocabulary):
        ids = keys.to_numpy(zero_copy_only=False)
        return np.where((ids >= 0) & (ids < vocabulary.size), ids + RESERVED_ROWS, OUT_OF_VOCABULARY)
    return vocabulary.lookup(keys)
