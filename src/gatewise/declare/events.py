"""Events: several list columns of equal lengths with one value per event, such as item, category, action and dwell."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from gatewise.declare.base import Dims, Name, declaration
from gatewise.declare.indexing import Count, Dim, HashBuckets, KeyType, Size, check_one_way_to_index
from gatewise.declare.poolings import GRU, Transformer


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


@declaration
class EventAttention:
    """Events weighed by their relevance to a target, such as the candidate item with its category."""

    target: Annotated[SequenceOf[Name], BeforeValidator(_listed), AfterValidator(tuple), Field(min_length=1)]
    """Categorical features that are joined; where their width is not an event's, a linear map brings it there."""
    dims: Dims = field(default=(32,), kw_only=True)
    """Hidden widths of the perceptron that computes the weights."""
    normalise: bool = field(default=False, kw_only=True)
    """Whether the weights sum to 1."""
    kind: Literal["attention"] = field(default="attention", kw_only=True, repr=False)


def _form(value: object) -> str:
    return "plain" if isinstance(value, str) else "learnt"


EventPooling = Annotated[
    Annotated[Literal["mean", "sum", "max"], Tag("plain")]
    | Annotated[Annotated[EventAttention | GRU | Transformer, Field(discriminator="kind")], Tag("learnt")],
    Discriminator(_form),
]
"""How the joined vectors of events become one vector."""


@declaration
class EventId:
    """An id or category per event, looked up in an embedding table."""

    name: Name
    """The name of the part."""
    dim: Dim | None = None
    """Width of the embedding; by default 16, or the shared feature's width."""
    shares: Name | None = field(default=None, kw_only=True)
    """A categorical feature whose vocabulary and embedding table this part uses."""
    column: Name | None = field(default=None, kw_only=True)
    """The table's column of lists, if it has another name than the part."""
    min_count: Count = field(default=1, kw_only=True)
    """Values with fewer occurrences, over the training table and all updates, share the out-of-vocabulary row."""
    keep_days: Count | None = field(default=None, kw_only=True)
    """A value that was in none of so many updates loses its row, which the next new value gets; None: never."""
    max_rows: Count | None = field(default=None, kw_only=True)
    """Most values that have rows; when they are full, a new value gets the row of the one not seen for longest."""
    hash_buckets: HashBuckets | None = field(default=None, kw_only=True)
    """Number of rows to hash values into, instead of a learnt vocabulary."""
    size: Size | None = field(default=None, kw_only=True)
    """Values are ids from 0 to ``size`` - 1: one row per id without a vocabulary; other values are errors."""
    dtype: KeyType | None = field(default=None, kw_only=True)
    """Type of the values, ``string`` or ``integer``; None: the training table's type, for a text column ``string``."""

    @model_validator(mode="after")
    def _one_way_to_index(self) -> EventId:
        check_one_way_to_index(self)
        return self


@declaration
class EventNumber:
    """A number per event, which becomes one entry of the event's vector; null becomes the mean."""

    name: Name
    """The name of the part."""
    transform: Literal["standard", "log", "none"] = "standard"
    """Transform of the number, see :class:`Numeric`; mean and deviation are those of all events."""
    column: Name | None = field(default=None, kw_only=True)
    """The table's column of lists, if it has another name than the part."""


@declaration
class Events:
    """Several list columns with one value per event, joined to one vector per event, which are pooled to one vector.

    A row without events gives zeros; a row whose first list is null has one event, of nulls.

    Example:
        >>> Events("history", ids=[EventId("item", shares="item_id")], numbers=[EventNumber("dwell")]).keep
        'last'
    """

    name: Name
    """The feature's name."""
    ids: Annotated[SequenceOf[EventId], AfterValidator(tuple), Field(min_length=1)]
    """The ids and categories of an event."""
    numbers: Annotated[SequenceOf[EventNumber], AfterValidator(tuple)] = ()
    """The numbers of an event."""
    pooling: EventPooling = "mean"
    """How the joined vectors of events become one vector."""
    separator: Annotated[str, Field(min_length=1)] = field(default="|", kw_only=True)
    """Text between the values if a column holds strings."""
    max_length: Count | None = field(default=None, kw_only=True)
    """Largest number of events that are kept."""
    keep: Literal["first", "last"] = field(default="last", kw_only=True)
    """Which events are kept if there are more than ``max_length``."""
    kind: Literal["events"] = field(default="events", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _parts_apart(self) -> Events:
        for what, names in (("part", [part.name for part in self.parts]), ("column", self.columns)):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{what} {twice!r} is declared twice")
        return self

    @property
    def parts(self) -> list[EventId | EventNumber]:
        """All parts of an event, ids first."""
        return [*self.ids, *self.numbers]

    @property
    def column(self) -> str:
        """The column of the first part."""
        return self.columns[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all parts."""
        return tuple(part.column or part.name for part in self.parts)

    def part(self, name: str) -> str:
        """Return the name of a part among all features, such as ``history.item``."""
        return f"{self.name}.{name}"
