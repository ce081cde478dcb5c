"""A column of the sample as codes and numbers, from which everything else is measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data import is_string, pick_column, seconds_of
from gatewise.errors import TableError
from gatewise.look.column import QUANTILES, Column, Kind
from gatewise.look.lists import items_of, separator_of

FREQUENT = 5
LONGEST_SHOWN = 40
EXACT = 2.0**53


@dataclass(frozen=True)
class Measured:
    """A column with its values in a form that others compute with.

    Attributes:
        column: the numbers about the column.
        codes: ``[row]``, a number per distinct value, in the order of first appearance; -1 for null.
        numbers: ``[row]`` float64 for numbers, truths and times (seconds since 1970), NaN for null; None for others.
    """

    column: Column
    codes: np.ndarray
    numbers: np.ndarray | None = None

    @property
    def is_null(self) -> np.ndarray:
        """``[row]``, whether there is no value."""
        null: np.ndarray = self.codes < 0
        return null


def measure(table: pa.Table, name: str, rows: int) -> Measured:
    """Return a column of a sample, measured; a column that cannot be read says why.

    Args:
        table: the sample.
        name: the column's name.
        rows: rows of the whole table.
    """
    dtype = str(table.schema.field(name).type)
    try:
        values = pick_column(table, name, f"column {name!r}")
    except TableError as error:
        return _unreadable(name, dtype, table.num_rows, str(error))
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        # a NaN is a missing number here, as in a label
        values = pa.array(values.cast(pa.float64()).to_numpy(zero_copy_only=False), from_pandas=True)
    if pa.types.is_null(values.type) or values.null_count == len(values):
        column = Column(name, "empty", dtype, len(values), len(values))
        return Measured(column, np.full(len(values), -1))
    kind = _kind(values)
    if kind == "unreadable":
        return _unreadable(name, dtype, table.num_rows, f"column {name!r}: holds {dtype}")
    return _measured(Column(name, kind, dtype, len(values), values.null_count), values, rows)


def _unreadable(name: str, dtype: str, rows: int, problem: str) -> Measured:
    reason = problem.removeprefix(f"column {name!r}: ")
    return Measured(Column(name, "unreadable", dtype, rows, problem=reason), np.full(rows, -1))


def _kind(values: pa.Array) -> Kind:
    dtype = values.type
    if pa.types.is_boolean(dtype):
        return "truth"
    if pa.types.is_integer(dtype):
        return "whole"
    if pa.types.is_floating(dtype):
        known = values.drop_null().to_numpy(zero_copy_only=False)
        return "whole" if bool(np.all((known == np.floor(known)) & (np.abs(known) < EXACT))) else "number"
    if pa.types.is_date(dtype) or pa.types.is_timestamp(dtype):
        return "time"
    if is_string(dtype):
        return "time" if seconds_of(values) is not None else "text"
    if pa.types.is_nested(dtype):
        return _kind_of_lists(values)
    return "unreadable"


def _kind_of_lists(values: pa.Array) -> Kind:
    items = values.flatten()
    if pa.types.is_floating(items.type):
        lengths = pc.unique(pc.list_value_length(values.drop_null()))
        return "vector" if len(lengths) == 1 and lengths[0].as_py() > 0 else "unreadable"
    readable = pa.types.is_integer(items.type) or is_string(items.type) or pa.types.is_null(items.type)
    return "list" if readable else "unreadable"


def _measured(column: Column, values: pa.Array, rows: int) -> Measured:
    if pa.types.is_nested(values.type):
        return Measured(_of_lists(column, values), _null_codes(values))
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary))
    column = replace(column, distinct=len(counts), runs=1 + int((codes[1:] != codes[:-1]).sum()))
    column = replace(column, frequent=_frequent(encoded.dictionary, counts), **_of_whole(counts, column, rows))
    if column.kind == "text":
        return Measured(_of_texts(column, encoded.dictionary, counts), codes)
    numbers = _numbers(values, column.kind)
    return Measured(_of_numbers(column, numbers), codes, numbers)


def _null_codes(values: pa.Array) -> np.ndarray:
    """Return a code of its own per list; lists are not compared."""
    null = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(null, -1, np.arange(len(values)))


def _of_whole(counts: np.ndarray, column: Column, rows: int) -> dict[str, Any]:
    """Estimate the distinct values of the whole table (guaranteed-error estimator of Charikar et al., 2000)."""
    scale = rows / max(column.rows, 1)
    once = int((counts == 1).sum())
    values = round(np.sqrt(scale) * once + len(counts) - once)
    if once == column.known:
        values = round(scale * once)
    return {"values": values, "rows_per_value": column.known * scale / max(values, 1)}


def _frequent(dictionary: pa.Array, counts: np.ndarray) -> tuple[tuple[str, int], ...]:
    order = np.argsort(-counts, kind="stable")[:FREQUENT]
    return tuple((_shown(dictionary[int(place)].as_py()), int(counts[place])) for place in order)


def _shown(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = re.sub(r"\s+", " ", text).strip() or "(empty)"
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _numbers(values: pa.Array, kind: Kind) -> np.ndarray:
    if kind == "time":
        found = seconds_of(values)
        assert found is not None
        return found
    return values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _of_numbers(column: Column, numbers: np.ndarray) -> Column:
    known = numbers[~np.isnan(numbers)]
    finite = known[np.isfinite(known)]
    if not len(finite):
        return column
    rising = np.diff(known)
    return replace(
        column,
        quantiles=tuple(np.quantile(finite, QUANTILES, method="lower").tolist()),
        mean=float(finite.mean()),
        zeros=int((known == 0).sum()),
        rises=column.nulls == 0 and bool((rising >= 0).all() and (rising > 0).any()),
    )


def _of_texts(column: Column, dictionary: pa.Array, counts: np.ndarray) -> Column:
    some = dictionary.slice(0, 20_000)
    separator = separator_of(some)
    if separator:
        items = items_of(dictionary, separator)
        return replace(
            column, kind="list", separator=separator, items=len(pc.unique(items)), length=_longest(some, separator)
        )
    words = pc.add(pc.count_substring_regex(some, r"\s+"), 1).to_numpy(zero_copy_only=False)
    return replace(column, length=float(np.average(words, weights=counts[: len(some)])))


def _longest(texts: pa.Array, separator: str) -> float:
    return float(pc.max(pc.add(pc.count_substring(texts, separator), 1)).as_py())


def _of_lists(column: Column, values: pa.Array) -> Column:
    items = values.flatten()
    longest = float(pc.max(pc.list_value_length(values)).as_py() or 0)
    if column.kind == "vector":
        return replace(column, length=longest)
    distinct = 0 if pa.types.is_null(items.type) else len(pc.unique(items.drop_null()))
    frequent = tuple(_counted(items)) if distinct else ()
    return replace(column, length=longest, items=distinct, frequent=frequent)


def _counted(items: pa.Array) -> Iterator[tuple[str, int]]:
    encoded = items.drop_null().dictionary_encode()
    yield from _frequent(encoded.dictionary, np.bincount(encoded.indices.to_numpy(zero_copy_only=False)))
