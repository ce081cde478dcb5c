"""The column class of each kind of feature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard, get_args

from gatewise.data.columns.categorical import CategoricalColumn
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.events import EventsColumn
from gatewise.data.columns.numeric import NumericColumn
from gatewise.data.columns.sequence import SequenceColumn
from gatewise.data.columns.text import TextsColumn
from gatewise.data.columns.vector import VectorColumn
from gatewise.declare import Categorical, Events, Numeric, Schema, Sequence, Text, Vector, register_feature

AnyColumn = FeatureColumn[Any, Any]
BuiltInColumn = CategoricalColumn | EventsColumn | NumericColumn | SequenceColumn | TextsColumn | VectorColumn
"""The built-in kinds, for code that distinguishes them."""

COLUMNS: dict[type, Callable[..., AnyColumn]] = {
    Categorical: CategoricalColumn,
    Events: EventsColumn,
    Numeric: NumericColumn,
    Sequence: SequenceColumn,
    Text: TextsColumn,
    Vector: VectorColumn,
}
"""Column class by declaration."""


def register_kind(declared: type, column: Callable[..., AnyColumn]) -> None:
    """Register a kind of feature: schemas accept its declaration, and its column class encodes tables.

    Args:
        declared: see :func:`gatewise.declare.register_feature`.
        column: a subclass of :class:`FeatureColumn`.

    Raises:
        DeclarationError: the kind has no name, or the name of another kind.
    """
    register_feature(declared)
    COLUMNS[declared] = column


def is_built_in(column: AnyColumn) -> TypeGuard[BuiltInColumn]:
    """Whether a column is of a built-in kind."""
    return isinstance(column, get_args(BuiltInColumn))


def make_columns(schema: Schema) -> dict[str, AnyColumn]:
    """Return an untrained column per feature, by name and in the order of the features."""
    made: dict[str, AnyColumn] = {}
    for feature in sorted(schema.features, key=lambda feature: bool(owners_of(feature))):
        made[feature.name] = COLUMNS[type(feature)](feature, *(made[owner] for owner in owners_of(feature)))
    return {feature.name: made[feature.name] for feature in schema.features}


def owners_of(feature: Any) -> tuple[str, ...]:
    """Return the names of the other features whose vocabularies and embedding tables a feature uses."""
    if isinstance(feature, Events):
        return tuple(dict.fromkeys(part.shares for part in feature.ids if part.shares is not None))
    shared = getattr(feature, "shares", None)
    return () if shared is None else (shared,)
