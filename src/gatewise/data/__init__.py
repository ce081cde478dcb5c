"""Data: reading of tables, vocabularies, and the encoder that training and serving share.

Other packages import from here only.
"""

from gatewise.data.arrays import as_type, nan_to_null, null_mask
from gatewise.data.cache import (
    CachedRows,
    CacheFolder,
    Plan,
    cache_home,
    cache_of,
    caches,
    open_cache,
    remove_cache,
    write_cache,
)
from gatewise.data.cache.records import to_batch
from gatewise.data.columns import (
    UNIFORM_STD,
    AnyColumn,
    BuiltInColumn,
    CategoricalColumn,
    Description,
    EventsColumn,
    FeatureColumn,
    ItemKeys,
    KeyedColumn,
    NumericColumn,
    SequenceColumn,
    TextsColumn,
    VectorColumn,
    is_built_in,
    register_kind,
)
from gatewise.data.encoded import EncodedTable
from gatewise.data.encoder import TableEncoder, TableLearner, declared_types, needed_columns
from gatewise.data.frames import frame_like
from gatewise.data.labels import known_labels, known_numbers, label_columns
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.one_row import row_and_others
from gatewise.data.pieces import PIECE_ROWS, regrouped
from gatewise.data.plain_types import is_string, null_count, take_rows, wide_column
from gatewise.data.pretrained import check_there, read_pretrained
from gatewise.data.ragged import (
    AlignedLists,
    Encoded,
    EncodedTexts,
    RaggedIds,
    RaggedLists,
    RaggedNumbers,
    Single,
    as_matrix,
    padded,
    parts_by_name,
    trimmed,
)
from gatewise.data.samples import sample_rows
from gatewise.data.sources import Extent, Source, source_of
from gatewise.data.tables import (
    column_names,
    extent_of,
    find_column,
    identity_of,
    pick_column,
    read_needed,
    read_table,
    readable,
    stream_table,
)
from gatewise.data.values import LARGEST
from gatewise.data.vocabularies import AnyVocabulary, NumberedVocabulary, Values, Vocabulary

__all__ = [
    "LARGEST",
    "PIECE_ROWS",
    "UNIFORM_STD",
    "AlignedLists",
    "AnyColumn",
    "AnyVocabulary",
    "BuiltInColumn",
    "CacheFolder",
    "CachedRows",
    "CategoricalColumn",
    "Description",
    "Encoded",
    "EncodedTable",
    "EncodedTexts",
    "EventsColumn",
    "Extent",
    "FeatureColumn",
    "ItemKeys",
    "KeyedColumn",
    "LayoutBuilder",
    "NumberedVocabulary",
    "NumericColumn",
    "Plan",
    "RaggedIds",
    "RaggedLists",
    "RaggedNumbers",
    "SequenceColumn",
    "Single",
    "Source",
    "TableEncoder",
    "TableLearner",
    "TextsColumn",
    "Values",
    "VectorColumn",
    "Vocabulary",
    "as_matrix",
    "as_type",
    "cache_home",
    "cache_of",
    "caches",
    "check_there",
    "column_names",
    "declared_types",
    "extent_of",
    "find_column",
    "frame_like",
    "identity_of",
    "is_built_in",
    "is_string",
    "known_labels",
    "known_numbers",
    "label_columns",
    "nan_to_null",
    "needed_columns",
    "null_count",
    "null_mask",
    "open_cache",
    "padded",
    "parts_by_name",
    "pick_column",
    "read_needed",
    "read_pretrained",
    "read_table",
    "readable",
    "register_kind",
    "regrouped",
    "remove_cache",
    "row_and_others",
    "sample_rows",
    "source_of",
    "stream_table",
    "take_rows",
    "to_batch",
    "trimmed",
    "wide_column",
    "write_cache",
]
