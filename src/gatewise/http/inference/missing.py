"""Missing values in tensors, which have no null of their own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gatewise.http.errors import RequestError
from gatewise.http.inference.tensors import BOOL, BYTES, FLOATS
from gatewise.http.model import ServedModel

MISSING = ".missing"
"""``NAME.missing``, BOOL ``[rows]``: where it is true, the row of the input NAME is missing."""


def owner_of(name: str, columns: Collection[str]) -> str | None:
    """Return the column whose missing rows an input marks; None where the input is a column itself."""
    owner = name.removesuffix(MISSING)
    return owner if name not in columns and owner != name and owner in columns else None


def marked(name: str, tensor: dict[str, Any], values: list[Any]) -> list[Any]:
    """Return the marks of rows.

    Raises:
        RequestError: the values are not one BOOL per row.
    """
    if tensor["datatype"] != BOOL or len(values) != tensor["shape"][0]:
        raise RequestError(
            f"input {name!r}: expected BOOL of a shape of [rows], found {tensor['datatype']} {tensor['shape']}"
        )
    return values


def unsaid(model: ServedModel, tensor: dict[str, Any], values: list[Any], *, in_bytes: bool) -> list[Any]:
    """Return values with None for those that mean missing.

    NaN means missing among numbers. Among strings that came in bytes the empty string does, for a category whose
    vocabulary has not learnt the empty string.
    """
    if tensor["datatype"] in FLOATS:
        # NaN alone differs from itself
        return [None if value != value else value for value in values]
    if in_bytes and tensor["datatype"] == BYTES and "" in values and _empty_is_none(model, tensor["name"]):
        return [None if value == "" else value for value in values]
    return values


def _empty_is_none(model: ServedModel, column: str) -> bool:
    readers = model.columns.readers_of(column)
    return bool(readers) and all(reader.empty_is_null for reader in readers)
