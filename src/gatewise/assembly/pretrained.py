"""Vectors that were learnt elsewhere, in the embedding tables of a new model."""

from __future__ import annotations

import warnings

import torch

from gatewise.data import TableEncoder, read_pretrained
from gatewise.errors import GatewiseWarning
from gatewise.layout import EmbeddingField
from gatewise.nn import EmbeddingTables, MultiTaskModel


def load_pretrained_vectors(model: MultiTaskModel, encoder: TableEncoder) -> None:
    """Write the declared vectors into a new model's embedding tables.

    Raises:
        TableError: a file cannot be read, or does not fit its feature; names both.

    Warns:
        GatewiseWarning: a file has no vectors for some values, which keep the vectors drawn for them.
    """
    tables = model.input_layer.tables
    for place, field in enumerate(encoder.layout.fields):
        # a table of a feature's part has the part's name, and no vectors of a file
        owner = encoder.columns.get(field.name)
        if owner is not None and getattr(owner.feature, "pretrained", None) is not None:
            _load(tables, place, field, encoder)


@torch.no_grad()
def _load(tables: EmbeddingTables, place: int, field: EmbeddingField, encoder: TableEncoder) -> None:
    column = encoder.columns[field.name]
    vocabulary, declared = column.vocabulary, column.feature.pretrained
    assert vocabulary is not None
    found = read_pretrained(declared, vocabulary, field.dim, column.purpose)
    # a table with embedding sets has several vectors per value, side by side
    vectors = torch.from_numpy(found.vectors).repeat(1, tables.fields[place].dim // field.dim)
    tables.write_rows(place, torch.from_numpy(found.rows).long(), vectors)
    lacking = vocabulary.size - len(found.rows)
    if lacking:
        warnings.warn(
            f"{column.purpose}: pretrained {declared.path!r} has no vector for {lacking:,} of {vocabulary.size:,} "
            "values, which keep the vectors drawn for them",
            GatewiseWarning,
            stacklevel=2,
        )
