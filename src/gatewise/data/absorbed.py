"""What a part of a table taught, as one Arrow file, so that another process merges it; nothing in it is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.errors import ArtefactError

State = dict[str, Any]
"""JSON values, NumPy arrays of one dimension and Arrow arrays, in dicts."""
STATE = b"state"
ARRAY = "array"


def write_absorbed(path: Path, state: State) -> None:
    """Write a state: an Arrow file of one row with a list per array; its metadata hold the rest as JSON."""
    arrays: list[pa.Array] = []

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items()}
        if not isinstance(value, np.ndarray | pa.Array):
            return value
        arrays.append(pa.array(value) if isinstance(value, np.ndarray) else value)
        return {ARRAY: len(arrays) - 1}

    known = json.dumps(without(state))
    lists = [pa.LargeListArray.from_arrays(pa.array([0, len(each)], pa.int64()), each) for each in arrays]
    fields = [pa.field(str(place), each.type, nullable=False) for place, each in enumerate(lists)]
    schema = pa.schema(fields, metadata={STATE: known})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as file:
        file.write_batch(pa.record_batch(lists, schema=schema))


def read_absorbed(path: Path) -> State:
    """Return a state that :func:`write_absorbed` wrote, all of its arrays as Arrow arrays.

    Raises:
        ArtefactError: the file cannot be read, or is not such a file.
    """
    try:
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
            known, table = json.loads(file.schema.metadata[STATE]), file.read_all()
        # lengths, offsets and UTF-8 are not checked by reading
        table.validate(full=True)
        arrays = [column.combine_chunks().flatten() for column in table.columns]

        def whole(value: Any) -> Any:
            if not isinstance(value, dict):
                return value
            return arrays[value[ARRAY]] if ARRAY in value else {key: whole(inner) for key, inner in value.items()}

        found: State = whole(known)
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ArtefactError(f"{path.name} cannot be read: {reason}") from None
    return found
