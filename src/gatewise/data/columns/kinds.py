"""The column class of each kind of feature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard, get_args

from gatewise.data.columns.categorical import CategoricalColumn
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.numeric import NumericColumn
from gatewise.data.columns.sequence import SequenceColumn
from gatewise.data.columns.text import TextsColumn
from gatewise.data.columns.vector import VectorColumn
from gatewise.declare import Categorical, Numeric, Schema, Sequence, Text, Vector, register_feature

AnyColumn = FeatureColumn[Any, Any]
BuiltInColumn = CategoricalColumn | NumericColumn | SequenceColumn | TextsColumn | VectorColumn
"""The built-in kinds, for code that distinguishes them."""

COLUMNS: dict[type, Callable[..., AnyColumn]] = {
    Categorical: CategoricalColumn,
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
    for feature in sorted(schema.features, key=lambda feature: owner_of(feature) != feature.name):
        owner = owner_of(feature)
        made[feature.name] = COLUMNS[type(feature)](feature, *([made[owner]] if owner != feature.name else []))
    return {feature.name: made[feature.name] for feature in schema.features}


def owner_of(feature: Any) -> str:
    """Return the name of the feature that owns this feature's vocabulary and embedding table, maybe itself."""
    return getattr(feature, "shares", None) or feature.name
