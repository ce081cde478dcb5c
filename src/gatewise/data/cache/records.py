"""Encoded rows as record batches of Arrow, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from gatewise.data.encoded import EncodedTable
from gatewise.data.ragged import EncodedTexts, RaggedIds, RaggedNumbers

BLOCK_ROWS = 4096
"""Rows of a record batch, which is read as a whole."""
MATRICES = ("ids", "floats", "labels", "weights")
"""Matrices of an encoded table, one fixed-size list per row; one without columns, or that is absent, is left out."""
NO_TOKENS = RaggedIds(np.zeros(0, np.int32), np.zeros(1, np.int64))
OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def to_batch(rows: EncodedTable) -> pa.RecordBatch:
    """Return encoded rows as a record batch; of texts, only the codes."""
    columns: dict[str, pa.Array] = {}
    for name in MATRICES:
        matrix = getattr(rows, name)
        if matrix is not None and matrix.shape[1]:
            flat = pa.array(np.ascontiguousarray(matrix).reshape(-1))
            columns[name] = pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])
    if rows.groups is not None:
        columns["groups"] = pa.array(rows.groups)
    for kind, ragged in (("list", rows.lists), ("numbers", rows.number_lists)):
        for place, lists in enumerate(ragged):
            columns[f"{kind} {place}"] = pa.LargeListArray.from_arrays(
                pa.array(lists.offsets.astype(np.int64)), pa.array(lists.values)
            )
    for place, texts in enumerate(rows.texts):
        columns[f"text {place}"] = pa.array(texts.codes)
    return pa.RecordBatch.from_pydict(columns)


def from_batches(batches: Sequence[pa.RecordBatch], tokens: Sequence[RaggedIds] = ()) -> EncodedTable:
    """Return the rows of record batches, at least one, as one encoded table whose arrays may be written.

    Args:
        batches: of one cache.
        tokens: the texts that the codes mean, by text column; without them, texts have no tokens.
    """
    names, rows = batches[0].schema.names, sum(batch.num_rows for batch in batches)

    def matrix(name: str) -> np.ndarray:
        return np.concatenate([_matrix(batch.column(name)) for batch in batches])

    def numbered(kind: str) -> Iterator[str]:
        return (name for name in names if name.partition(" ")[0] == kind)

    codes = [np.concatenate([batch.column(name).to_numpy() for batch in batches]) for name in numbered("text")]
    return EncodedTable(
        matrix("ids") if "ids" in names else np.zeros((rows, 0), np.int32),
        tuple(RaggedIds(*_ragged(batches, name)) for name in numbered("list")),
        matrix("floats") if "floats" in names else np.zeros((rows, 0), np.float32),
        matrix("labels") if "labels" in names else None,
        matrix("weights") if "weights" in names else None,
        tuple(EncodedTexts(known, code) for known, code in zip(tokens or [NO_TOKENS] * len(codes), codes, strict=True)),
        np.concatenate([batch.column("groups").to_numpy() for batch in batches]) if "groups" in names else None,
        number_lists=tuple(RaggedNumbers(*_ragged(batches, name)) for name in numbered("numbers")),
    )


def _matrix(column: pa.FixedSizeListArray) -> np.ndarray:
    found: np.ndarray = column.flatten().to_numpy().reshape(len(column), column.type.list_size)
    return found


def _ragged(batches: Sequence[pa.RecordBatch], name: str) -> tuple[np.ndarray, np.ndarray]:
    columns = [batch.column(name) for batch in batches]
    values = np.concatenate([column.flatten().to_numpy() for column in columns])
    lengths = [np.diff(column.offsets.to_numpy()) for column in columns]
    return values, np.concatenate([[0], np.cumsum(np.concatenate(lengths))])


def write_batches(path: Path, batches: Sequence[pa.RecordBatch]) -> None:
    """Write record batches of one schema into an Arrow IPC file, compressed with LZ4."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batches[0].schema, options=OPTIONS) as writer:
        for batch in batches:
            writer.write_batch(batch)


def read_batches(path: Path) -> pa.ipc.RecordBatchFileReader:
    """Return a reader of a file of record batches, which is mapped and not read."""
    return pa.ipc.open_file(pa.memory_map(str(path)))


def texts_file(place: int) -> str:
    """Return the name of the file with the texts of a text column."""
    return f"texts-{place}.arrow"


def write_tokens(path: Path, tokens: RaggedIds) -> None:
    """Write the tokens of every text of a column."""
    lists = pa.LargeListArray.from_arrays(pa.array(tokens.offsets.astype(np.int64)), pa.array(tokens.values))
    write_batches(path, [pa.RecordBatch.from_pydict({"tokens": lists})])


def read_tokens(path: Path) -> RaggedIds:
    """Return the tokens of every text of a column."""
    return RaggedIds(*_ragged([read_batches(path).get_batch(0)], "tokens"))
