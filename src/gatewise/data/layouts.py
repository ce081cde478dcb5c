"""What encoded tables look like to a model."""

from __future__ import annotations

from collections.abc import Mapping

from gatewise import declare
from gatewise.data.encoders.by_feature import Encoder, owner_of
from gatewise.data.encoders.numeric import NumericEncoder
from gatewise.data.encoders.text import TextEncoder
from gatewise.data.encoders.vector import VectorEncoder
from gatewise.data.vocabulary import AnyVocabulary
from gatewise.declare import Feature, Schema, Sequence, embedding_dim
from gatewise.layout import (
    AttentionPooling,
    EmbeddingField,
    GRUPooling,
    Layout,
    ListColumn,
    NumberColumn,
    NumberEmbedding,
    PeriodicNumber,
    PiecewiseLinearNumber,
    Pooling,
    SelfAttentionPooling,
    TextColumn,
)


def layout_of(schema: Schema, encoders: Mapping[str, Encoder], vocabularies: Mapping[str, AnyVocabulary]) -> Layout:
    """Return the columns that encoded tables have and the tables that a model needs for them."""
    fields = [
        EmbeddingField(feature.name, rows, embedding_dim(feature, schema))
        for feature in sorted(schema.features, key=lambda f: owner_of(f) != f.name)
        if (rows := _rows(encoders[feature.name], vocabularies.get(feature.name))) is not None
    ]
    index = {field.name: place for place, field in enumerate(fields)}
    ids, lists, floats, owners, texts = [], [], [], [], []
    for feature in schema.features:
        encoder = encoders[feature.name]
        if isinstance(feature, Sequence):
            lists.append(ListColumn(feature.name, index[owner_of(feature)], pooling_of(feature)))
        elif feature.name in index:
            ids.append((feature.name, index[feature.name]))
        elif isinstance(encoder, TextEncoder):
            texts.append(_text_column(encoder))
        else:
            names = _float_names(feature, encoder)
            floats += names
            owners += [feature.name] * len(names)
    numbers = _numbers(encoders, owners)
    return Layout(tuple(fields), tuple(ids), tuple(lists), tuple(floats), tuple(owners), tuple(texts), numbers)


def _rows(encoder: Encoder, vocabulary: AnyVocabulary | None) -> int | None:
    if isinstance(encoder, NumericEncoder):
        return encoder.rows if encoder.feature.transform == "bucket" else None
    return None if vocabulary is None else vocabulary.rows


def _float_names(feature: Feature, encoder: Encoder) -> list[str]:
    assert isinstance(encoder, (NumericEncoder, VectorEncoder))
    flag = [f"{feature.name} is null"] if encoder.has_null else []
    if isinstance(encoder, VectorEncoder):
        return [f"{feature.name}[{i}]" for i in range(encoder.feature.size)] + flag
    return [feature.name, *flag]


def _text_column(encoder: TextEncoder) -> TextColumn:
    feature = encoder.feature
    return TextColumn(
        feature.name,
        source=feature.encoder,
        config=encoder.config,
        dim=encoder.dim,
        vocabulary=encoder.vocabulary,
        padding=encoder.padding,
        pooling=feature.pooling,
        frozen=feature.frozen,
        lr_factor=feature.lr_factor,
    )


def _numbers(encoders: Mapping[str, Encoder], owners: list[str]) -> tuple[NumberColumn, ...]:
    """Return the columns that are embedded, each the first of those that its feature owns."""
    embeddings = {name: number_embedding_of(encoder) for name, encoder in encoders.items()}
    return tuple(
        NumberColumn(name, owners.index(name), embedding)
        for name, embedding in embeddings.items()
        if embedding is not None
    )


def pooling_of(feature: Sequence) -> Pooling | None:
    """Return how a sequence is pooled, as the layout says it."""
    match feature.pooling:
        case declare.Attention(target=target, dims=dims, normalise=normalise):
            return AttentionPooling(target, tuple(dims), normalise)
        case declare.GRU(dim=dim):
            return GRUPooling(dim)
        case declare.Transformer(dim=dim, heads=heads, layers=layers):
            return SelfAttentionPooling(dim, heads, layers)
        case _:
            return feature.pooling


def number_embedding_of(encoder: Encoder) -> NumberEmbedding | None:
    """Return how a number becomes a vector, as the layout says it; None where it does not."""
    if not isinstance(encoder, NumericEncoder):
        return None
    match encoder.feature.embedding:
        case declare.PiecewiseLinear(dim=dim):
            return PiecewiseLinearNumber(tuple(encoder.edges.tolist()), dim)
        case declare.Periodic(frequencies=frequencies, sigma=sigma, dim=dim):
            return PeriodicNumber(frequencies, sigma, dim)
        case _:
            return None
