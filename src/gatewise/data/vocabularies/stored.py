"""Learnt values in one Arrow file, and the rest of a saved state as JSON.

A vocabulary's state holds its values as an Arrow array. In JSON their place says which column of the file holds them
and how many there are: ``{"values": "integer", "learnt": {"column": "user", "count": 3}}``. The file has one row, and
in it one list per vocabulary, as vocabularies differ in length.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from gatewise.data.vocabularies.learnt import TYPES
from gatewise.data.vocabularies.sorted_index import is_distinct
from gatewise.errors import ArtefactError

FILE = "vocabularies.arrow"
COMPRESSION = "zstd"
Arrays = dict[str, pa.Array]
"""Learnt values, by the name of their vocabulary."""


def plain(state: Any) -> Any:
    """Return a state as JSON values, learnt values included."""
    if isinstance(state, pa.Array):
        return state.to_pylist()
    return {key: plain(inner) for key, inner in state.items()} if isinstance(state, dict) else state


def taken_apart(state: dict[str, Any]) -> tuple[dict[str, Any], Arrays]:
    """Return a state as JSON values that say where the learnt values are, and the learnt values."""
    arrays: Arrays = {}

    def without(value: Any, name: str) -> Any:
        if isinstance(value, pa.Array):
            arrays[name] = value
            return {"column": name, "count": len(value)}
        if not isinstance(value, dict):
            return value
        return {key: without(inner, name if isinstance(inner, pa.Array) else key) for key, inner in value.items()}

    return without(state, ""), arrays


def put_together(state: Any, arrays: Arrays) -> Any:
    """Return the state that :func:`taken_apart` took apart; a state whose learnt values are JSON is returned as it is.

    Raises:
        ArtefactError: learnt values are absent, null or there twice, have another type or number than the state says,
            or belong to no vocabulary; names the column.
    """
    left = dict(arrays)

    def whole(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        made = {key: whole(inner) for key, inner in value.items()}
        learnt = value.get("learnt")
        if isinstance(learnt, dict) and learnt.keys() == {"column", "count"}:
            made["learnt"] = _checked(
                str(learnt["column"]), left, value.get("values"), learnt["count"], value.get("free", 0)
            )
        return made

    made = whole(state)
    if left:
        raise ArtefactError(f"{FILE}: column {next(iter(left))!r} belongs to no vocabulary")
    return made


def _checked(name: str, left: Arrays, kind: Any, count: Any, free: Any) -> pa.Array:
    """Return the learnt values of a vocabulary, of a declared kind and number."""
    if name not in left:
        raise ArtefactError(f"{FILE}: expected a column {name!r}, found none, or it is asked for twice")
    values, expected = left.pop(name), TYPES.get(str(kind), pa.null())
    if values.type != expected or len(values) != count:
        found = f"{len(values):,} values of type {values.type}"
        raise ArtefactError(f"{FILE}: column {name!r}: expected {count} values of type {expected}, found {found}")
    if len(values) and values.null_count != free:
        raise ArtefactError(f"{FILE}: column {name!r} holds a null where no row is free")
    if not is_distinct(values.drop_null() if free else values):
        raise ArtefactError(f"{FILE}: column {name!r} holds a value twice")
    return values


def written(arrays: Arrays) -> bytes:
    """Return the bytes of an Arrow file with learnt values."""
    ends = [pa.array([0, len(values)], pa.int64()) for values in arrays.values()]
    lists = [pa.LargeListArray.from_arrays(*parts) for parts in zip(ends, arrays.values(), strict=True)]
    fields = [pa.field(name, found.type, nullable=False) for name, found in zip(arrays, lists, strict=True)]
    batch = pa.record_batch(lists, schema=pa.schema(fields))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=COMPRESSION)) as file:
        file.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read(content: bytes) -> Arrays:
    """Return the learnt values in the bytes of an Arrow file; nothing is executed.

    Raises:
        ArtefactError: the bytes are not such a file.
    """
    try:
        with pa.ipc.open_file(pa.py_buffer(content)) as file:
            fields = [*file.schema]
            _expect(all(_is_list(field.type) for field in fields), "a list in every column")
            _expect(len({field.name for field in fields}) == len(fields), "columns of different names")
            table = file.read_all()
        # lengths, offsets and UTF-8 are not checked by reading
        table.validate(full=True)
        _expect(not fields or table.num_rows == 1, "one row")
        lists = [column.combine_chunks() for column in table.columns]
        _expect(not any(found.null_count for found in lists), "lists")
        return {field.name: found.flatten() for field, found in zip(fields, lists, strict=True)}
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ArtefactError(f"{FILE} cannot be read: {reason}") from None


def _is_list(found: pa.DataType) -> bool:
    return pa.types.is_large_list(found) and found.value_type in (*TYPES.values(), pa.null())


def _expect(held: bool, what: str) -> None:
    if not held:
        raise ValueError(f"expected {what}")
