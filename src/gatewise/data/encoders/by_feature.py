"""From a declared feature to its encoder: the one place that knows which kind is encoded how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.declared_types import as_declared
from gatewise.data.encoders.categorical import CategoricalEncoder, VocabularyFit
from gatewise.data.encoders.numeric import NumericEncoder
from gatewise.data.encoders.sequence import RaggedIds, SequenceEncoder
from gatewise.data.encoders.text import EncodedTexts, TextEncoder
from gatewise.data.encoders.vector import VectorEncoder
from gatewise.data.parallel import in_parallel
from gatewise.data.plain_types import is_list
from gatewise.data.tables import pick_column
from gatewise.data.vocabulary import AnyVocabulary
from gatewise.declare import Categorical, Feature, Numeric, Schema, Sequence, Text, Vector, column_of

Encoder = CategoricalEncoder | NumericEncoder | SequenceEncoder | TextEncoder | VectorEncoder
Encoded = np.ndarray | RaggedIds | EncodedTexts
"""Ids ``[row]``, floats ``[row, column]``, ragged ids or texts."""


def owner_of(feature: Feature) -> str:
    """Return the name of the feature whose vocabulary this one uses: its own, or the one it shares."""
    return (feature.shares if isinstance(feature, Sequence) else None) or feature.name


def feature_column(feature: Feature, table: pa.Table) -> pa.Array:
    """Return the column that a feature reads, of a plain type, and of the declared one where there is one.

    Raises:
        TableError: there is no such column, or it does not hold what is declared; names the feature.
    """
    purpose = f"feature {feature.name!r}"
    column = pick_column(table, column_of(feature), purpose)
    dtype = getattr(feature, "dtype", None)
    # a list that is a string is split first
    if dtype is None or (isinstance(feature, Sequence) and not is_list(column.type)):
        return column
    return as_declared(column, dtype, purpose)


def prepare(feature: Feature, table: pa.Table, expected: pa.DataType | None = None) -> Any:
    """Bring a feature's column to what its encoder works on; ``expected`` is the type its vocabulary has, if any."""
    purpose = f"feature {feature.name!r}"
    column = feature_column(feature, table)
    match feature:
        case Categorical():
            return CategoricalEncoder.prepare(column, purpose)
        case Sequence():
            return SequenceEncoder.prepare(feature, column, purpose, expected)
        case Vector():
            return VectorEncoder.prepare(feature, column, purpose)
        case Text():
            return TextEncoder.prepare(column, purpose)
        case Numeric():
            return NumericEncoder.prepare(column, purpose)


def gather_values(schema: Schema, prepared: Mapping[str, Any]) -> dict[str, VocabularyFit]:
    """Gather the prepared values of all features, by the feature that owns their vocabulary."""
    keyed = [f for f in schema.features if isinstance(f, (Categorical, Sequence))]
    fits = {f.name: VocabularyFit(f) for f in keyed if owner_of(f) == f.name}
    for feature in keyed:
        values = prepared[feature.name]
        distinct = values if isinstance(feature, Categorical) else values.distinct
        fits[owner_of(feature)].add(distinct, f"feature {feature.name!r}")
    return fits


def learn_vocabularies(schema: Schema, prepared: Mapping[str, Any], rows: int) -> dict[str, AnyVocabulary]:
    """Learn every vocabulary from the prepared training columns."""
    fits = gather_values(schema, prepared)
    return dict(zip(fits, in_parallel(VocabularyFit.learn, fits.values(), rows), strict=True))


def keyed_encoder(feature: Categorical | Sequence, vocabularies: Mapping[str, AnyVocabulary]) -> Encoder:
    """Return the encoder of a feature that has a vocabulary."""
    vocabulary = vocabularies[owner_of(feature)]
    if isinstance(feature, Categorical):
        return CategoricalEncoder(feature, vocabulary)
    return SequenceEncoder(feature, vocabulary)


def fit_encoder(feature: Feature, prepared: Any, vocabularies: Mapping[str, AnyVocabulary]) -> Encoder:
    """Fit one feature's encoder on its prepared training column."""
    match feature:
        case Numeric():
            return NumericEncoder.fit(feature, prepared)
        case Vector():
            return VectorEncoder.fit(feature, prepared)
        case Text():
            return TextEncoder.fit(feature)
        case _:
            return keyed_encoder(feature, vocabularies)


def restore_encoder(feature: Feature, states: Mapping[str, Any], vocabularies: Mapping[str, AnyVocabulary]) -> Encoder:
    """Rebuild one feature's encoder from its saved state."""
    match feature:
        case Numeric():
            return NumericEncoder(feature, **states[feature.name])
        case Vector():
            return VectorEncoder(feature, **states[feature.name])
        case Text():
            return TextEncoder(feature, **states[feature.name])
        case _:
            return keyed_encoder(feature, vocabularies)


def encode_column(feature: Feature, encoder: Encoder, table: pa.Table) -> Encoded:
    """Encode a feature's column of a table."""
    return encoder.encode_column(feature_column(feature, table), f"feature {feature.name!r}")


def encode_prepared(feature: Feature, encoder: Encoder, prepared: Any) -> Encoded:
    """Encode a feature's prepared column, see :func:`encode_column`."""
    if isinstance(encoder, (CategoricalEncoder, SequenceEncoder)):
        return encoder.encode(prepared, f"feature {feature.name!r}")
    return encoder.encode(prepared)
