"""Splits at given times of folders that name the time: files are chosen, and none is read for it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from gatewise.data import Parts, is_string
from gatewise.declare import Split
from gatewise.errors import TableError


def split_by_folders(parts: Parts, split: Split) -> tuple[Parts, Parts | None, Parts | None]:
    """Return training, validation and test files of folders such as ``day=2024-01-31``, each in the order of time.

    Raises:
        TableError: a bound that does not compare with the folders' values, or a part without files.
    """
    column = str(split.time)
    values = parts.folder_values(column)
    if None in values:
        raise TableError(f"column {column!r}: a folder without a value has no place in the split")
    valid_from, test_from = (_bound(parts, column, each) for each in (split.valid_from, split.test_from))
    first = test_from if valid_from is None else valid_from
    chosen = (
        parts.within(column, lambda value: value < first),
        parts.within(
            column, lambda value: valid_from is not None and valid_from <= value and _before(value, test_from)
        ),
        parts.within(column, lambda value: test_from is not None and value >= test_from),
    )
    spans = (
        (True, f"before {first}, so none to train on"),
        (valid_from is not None, f"from {valid_from} on" + ("" if test_from is None else f" and before {test_from}")),
        (test_from is not None, f"from {test_from} on"),
    )
    for part, (is_asked, span) in zip(chosen, spans, strict=True):
        if is_asked and not part.parts:
            raise TableError(f"column {column!r}: no folder {span}; found {min(values)} to {max(values)}")
    train, valid, test = (part if part.parts else None for part in chosen)
    assert train is not None
    return train, valid, test


def _before(value: Any, bound: Any) -> bool:
    return bound is None or value < bound


def _bound(parts: Parts, column: str, bound: Any) -> Any:
    dtype = parts.folders[column]
    try:
        moment = pa.scalar(bound)
        if isinstance(bound, str) or (bound is not None and is_string(dtype)):
            moment = moment.cast(dtype)
        return moment.as_py()
    except pa.ArrowException:
        raise TableError(f"column {column!r}: expected a bound that compares with {dtype}, found {bound!r}") from None
