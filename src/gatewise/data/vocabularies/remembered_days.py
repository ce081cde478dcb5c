"""What vocabularies remember of the days, in one Arrow file beside the artefact's learnt values.

The file has one row per vocabulary that remembers anything; values that wait stand in a column of their type.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from gatewise.data.vocabularies.learnt import Vocabulary
from gatewise.data.vocabularies.sorted_index import is_distinct
from gatewise.data.vocabularies.turnover import Seen, Waiting
from gatewise.errors import ArtefactError
from gatewise.layout import OUT_OF_VOCABULARY

FILE = "seen.arrow"
COLUMNS = pa.schema(
    [
        pa.field("vocabulary", pa.string(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
        pa.field("integers", pa.large_list(pa.int64())),
        pa.field("strings", pa.large_list(pa.large_string())),
        pa.field("counts", pa.large_list(pa.int64()), nullable=False),
        pa.field("waiting_last", pa.large_list(pa.int32()), nullable=False),
        pa.field("last", pa.large_list(pa.int32()), nullable=False),
    ]
)


def written(remembered: Mapping[str, Seen]) -> bytes:
    """Return the bytes of an Arrow file with what vocabularies remember, by their names."""
    batches = [_row(name, seen) for name, seen in remembered.items()]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, COLUMNS, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
        for batch in batches:
            file.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read(content: bytes, vocabularies: Mapping[str, Vocabulary]) -> dict[str, Seen]:
    """Return what vocabularies remember; nothing is executed.

    Args:
        content: the bytes of the file.
        vocabularies: the vocabularies that may remember something, by name.

    Raises:
        ArtefactError: the bytes are not such a file, or do not belong to the vocabularies; names the vocabulary.
    """
    try:
        with pa.ipc.open_file(pa.py_buffer(content)) as file:
            if file.schema != COLUMNS:
                raise ArtefactError(f"{FILE}: expected the columns {', '.join(COLUMNS.names)}")
            batches = [file.get_batch(place) for place in range(file.num_record_batches)]
        for batch in batches:
            # lengths, offsets and UTF-8 are not checked by reading
            batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ArtefactError(f"{FILE} cannot be read: {reason}") from None
    found: dict[str, Seen] = {}
    for batch in batches:
        name = str(batch.column("vocabulary")[0].as_py()) if batch.num_rows == 1 else ""
        if name not in vocabularies or name in found:
            raise ArtefactError(f"{FILE}: {name[:80]!r} is not a vocabulary, or stands there twice")
        found[name] = _checked(name, batch, vocabularies[name])
    return found


def _row(name: str, seen: Seen) -> pa.RecordBatch:
    waiting = seen.waiting
    of_strings = pa.types.is_large_string(waiting.values.type)
    nobody = pa.nulls(0, pa.int64())
    lists = [
        None if of_strings else (nobody if pa.types.is_null(waiting.values.type) else waiting.values),
        waiting.values if of_strings else None,
        *(pa.array(each) for each in (waiting.counts, waiting.last, seen.last)),
    ]
    columns = [
        pa.nulls(1, field.type) if found is None else _one_list(found, field.type)
        for field, found in zip(list(COLUMNS)[2:], lists, strict=True)
    ]
    return pa.record_batch([pa.array([name]), pa.array([seen.day], pa.int32()), *columns], schema=COLUMNS)


def _one_list(values: pa.Array, dtype: pa.DataType) -> pa.Array:
    ends = pa.array([0, len(values)], pa.int64())
    return pa.LargeListArray.from_arrays(ends, values.cast(dtype.value_type))


def _checked(name: str, batch: pa.RecordBatch, vocabulary: Vocabulary) -> Seen:
    """Return what a vocabulary remembers, in agreement with it."""
    strings, integers = batch.column("strings"), batch.column("integers")
    values = (integers if strings.null_count else strings).flatten()
    counts, waiting_last, last = (batch.column(each).flatten() for each in ("counts", "waiting_last", "last"))
    day = batch.column("day")[0].as_py()
    arrays = (values, counts, waiting_last, last)
    fits = strings.null_count + integers.null_count == 1 and not any(each.null_count for each in arrays)
    fits = fits and len(values) == len(counts) == len(waiting_last) and len(last) == vocabulary.size
    fits = fits and (not len(values) or pa.types.is_null(vocabulary.type) or values.type == vocabulary.type)
    if fits:
        waiting = Waiting(values, counts.to_numpy(), waiting_last.to_numpy())
        days = np.concatenate([waiting.last, last.to_numpy()])
        fits = is_distinct(values) and bool((waiting.counts > 0).all()) and bool((days <= day).all())
        fits = fits and bool((vocabulary.lookup(values) == OUT_OF_VOCABULARY).all())
    if not fits:
        raise ArtefactError(f"{FILE}: what stands there of {name!r} does not belong to its vocabulary")
    return Seen(int(day), waiting, last.to_numpy())
