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
    if feature.hash_buckets is not None and feature.min_count > 1:
        raise ValueError("min_count needs a vocabulary, hash_buckets has none: give one of them")
    if feature.size is not None and (feature.hash_buckets is not None or feature.min_count > 1):
        raise ValueError("size says that values are rows already: give no min_count or hash_buckets beside it")
    own = (feature.size, feature.hash_buckets, feature.min_count, feature.dtype)
    if feature.shares is not None and own != (None, None, 1, None):
        owner = f"the table is that of {feature.shares!r}"
        raise ValueError(f"{owner}: declare size, min_count, hash_buckets and dtype there")
    if feature.size is not None and feature.dtype == "string":
        raise ValueError(f"size says that values are integers from 0 to {feature.size - 1}: give no dtype 'string'")
