"""Limits of a request's lists: their items, and their places once they are padded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.data import Single, Values
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits


def check_given(columns: Mapping[str, Values], limits: Limits) -> None:
    """Refuse columns whose lists have too many items, before they are encoded.

    Raises:
        RequestError: with 413; names the column with the most items.
    """
    counts = {name: sum(len(value) for value in values if type(value) is list) for name, values in columns.items()}
    if sum(counts.values()) > limits.items:
        most = max(counts, key=counts.__getitem__)
        raise RequestError(
            f"{most!r}: expected {limits.items:,} items or fewer in all lists of a request (limit items), "
            f"found {sum(counts.values()):,}",
            413,
        )


def check_padded(name: str, encoded: Single, rows: int, limits: Limits) -> None:
    """Refuse lists that have too many places once all rows are padded to the longest.

    Args:
        name: the feature's name.
        encoded: the feature's rows, or one row that all rows of the request share.
        rows: the number of rows of the request.
        limits: of places.

    Raises:
        RequestError: with 413; names the feature.
    """
    if not isinstance(encoded, np.ndarray):
        check_places(name, rows, encoded.longest, limits)


def check_places(name: Any, rows: int, longest: int, limits: Limits) -> None:
    """Refuse a list feature of too many rows times places.

    Raises:
        RequestError: with 413; names the feature.
    """
    if rows * longest > limits.padded_items:
        raise RequestError(
            f"feature {name!r}: {rows:,} rows with a list of {longest:,} items are {rows * longest:,} places, expected "
            f"{limits.padded_items:,} or fewer (limit padded_items): send fewer rows or shorter lists",
            413,
        )
