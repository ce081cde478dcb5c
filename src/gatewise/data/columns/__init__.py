"""One class per kind of feature, with everything about this kind: see :class:`FeatureColumn`."""

from gatewise.data.columns.categorical import CategoricalColumn
from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import Description
from gatewise.data.columns.events import EventsColumn
from gatewise.data.columns.keyed import KeyedColumn
from gatewise.data.columns.kinds import COLUMNS, AnyColumn, BuiltInColumn, is_built_in, make_columns, register_kind
from gatewise.data.columns.numeric import UNIFORM_STD, NumericColumn
from gatewise.data.columns.schema_columns import PreparedColumns, SchemaColumns, text_types
from gatewise.data.columns.sequence import ItemKeys, SequenceColumn
from gatewise.data.columns.text import TextsColumn
from gatewise.data.columns.vector import VectorColumn

__all__ = [
    "COLUMNS",
    "UNIFORM_STD",
    "AnyColumn",
    "BuiltInColumn",
    "CategoricalColumn",
    "Description",
    "EventsColumn",
    "FeatureColumn",
    "ItemKeys",
    "KeyedColumn",
    "NumericColumn",
    "PreparedColumns",
    "SchemaColumns",
    "SequenceColumn",
    "TextsColumn",
    "VectorColumn",
    "is_built_in",
    "make_columns",
    "register_kind",
    "text_types",
]
