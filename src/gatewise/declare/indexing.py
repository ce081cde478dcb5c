"""How values become rows of an embedding table: options that features of ids have in common."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

Dim = Annotated[int, Field(gt=0, le=65_536)]
Count = Annotated[int, Field(gt=0)]
KeyType = Literal["string", "integer"]
HashBuckets = Annotated[int, Field(ge=2, le=2_147_483_000)]
Size = Annotated[int, Field(gt=0, le=2_147_483_000)]


class Indexed(Protocol):
    """A declaration whose values become rows of an embedding table."""

    @property
    def min_count(self) -> int: ...  # noqa: D102
    @property
    def keep_days(self) -> int | None: ...  # noqa: D102
    @property
    def max_rows(self) -> int | None: ...  # noqa: D102
    @property
    def hash_buckets(self) -> int | None: ...  # noqa: D102
    @property
    def size(self) -> int | None: ...  # noqa: D102
    @property
    def shares(self) -> str | None: ...  # noqa: D102
    @property
    def dtype(self) -> KeyType | None: ...  # noqa: D102


def check_one_way_to_index(feature: Indexed) -> None:
    """Refuse options that contradict each other on how a value becomes a row of the embedding table.

    Raises:
        ValueError: names the options.
    """
    rules = {"min_count": feature.min_count > 1, "keep_days": feature.keep_days, "max_rows": feature.max_rows}
    admitting = next((name for name, given in rules.items() if given), None)
    if feature.hash_buckets is not None and admitting is not None:
        none = "hash_buckets has none, and no value is admitted to it"
        raise ValueError(f"{admitting} needs a vocabulary, {none}: give one of them")
    if feature.size is not None and (feature.hash_buckets is not None or admitting is not None):
        given = admitting or "hash_buckets"
        raise ValueError(f"size says that values are rows already: give no {given} beside it")
    own = (feature.size, feature.hash_buckets, feature.dtype)
    if feature.shares is not None and (own != (None, None, None) or admitting is not None):
        owner = f"the table is that of {feature.shares!r}"
        raise ValueError(f"{owner}: declare size, min_count, keep_days, max_rows, hash_buckets and dtype there")
    if feature.size is not None and feature.dtype == "string":
        raise ValueError(f"size says that values are integers from 0 to {feature.size - 1}: give no dtype 'string'")
