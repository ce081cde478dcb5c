"""Lists of a request: how many items it may bring, and how many places the model may be given for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.data import Encoded, Values
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits


def check_given(columns: Mapping[str, Values], limits: Limits) -> None:
    """Refuse columns whose lists have too many items, before anything is made of them.

    Raises:
        RequestError: with 413; names the column that has the most.
    """
    counts = {name: sum(len(value) for value in values if type(value) is list) for name, values in columns.items()}
    if sum(counts.values()) > limits.items:
        most = max(counts, key=counts.__getitem__)
        raise RequestError(
            f"{most!r}: expected {limits.items:,} items or fewer in all lists of a request (limit items), "
            f"found {sum(counts.values()):,}",
            413,
        )


def check_padded(name: str, encoded: Encoded, rows: int, limits: Limits) -> None:
    """Refuse lists that would be too many places once all rows are as long as the longest.

    Args:
        name: the feature's.
        encoded: its rows, or one that all share.
        rows: of the request.
        limits: on places.

    Raises:
        RequestError: with 413; names the feature.
    """
    if not isinstance(encoded, np.ndarray):
        check_places(name, rows, encoded.longest, limits)


def check_places(name: Any, rows: int, longest: int, limits: Limits) -> None:
    """Refuse a list of so many rows and places.

    Raises:
        RequestError: with 413; names the feature.
    """
    if rows * longest > limits.padded_items:
        raise RequestError(
            f"feature {name!r}: {rows:,} rows with a list of {longest:,} items are {rows * longest:,} places, expected "
            f"{limits.padded_items:,} or fewer (limit padded_items): send fewer rows or shorter lists",
            413,
        )
