"""From tables to matrices: reading, vocabularies, and one encoder that training and serving both use."""

from gatewise.data.encoded import EncodedTable
from gatewise.data.encoder import TableEncoder, declared_types, needed_columns
from gatewise.data.encoders import RaggedIds
from gatewise.data.one_row import row_and_others
from gatewise.data.tables import column_names, read_needed, read_table, readable, stream_table

__all__ = [
    "EncodedTable",
    "RaggedIds",
    "TableEncoder",
    "column_names",
    "declared_types",
    "needed_columns",
    "read_needed",
    "read_table",
    "readable",
    "row_and_others",
    "stream_table",
]
