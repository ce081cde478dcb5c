"""How each kind of feature is read from a column of raw values: as an input, and on the way to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gatewise.data.arrays import null_mask
from gatewise.data.encoders import CategoricalEncoder, NumericEncoder, SequenceEncoder, TextEncoder, VectorEncoder
from gatewise.data.encoders.by_feature import Encoder
from gatewise.data.encoders.categorical import LEARNT_FROM, check_type
from gatewise.data.encoders.sequence import item_keys
from gatewise.data.values import as_keys
from gatewise.data.vocabulary import Vocabulary
from gatewise.declare import Sequence, column_of
from gatewise.export.padding import never_empty, padded
from gatewise.export.ports import BATCH, Keys, Port
from gatewise.export.sentinels import Sentinels
from gatewise.layout import NULL
from gatewise.nn.ragged import PADDING


class RawColumn(ABC):
    """A feature's column.

    Attributes:
        port: the input.
        null: what the input is, after the look-up, where there is nothing.
    """

    port: Port
    null: float

    @abstractmethod
    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:
        """Return the input of a table's column."""

    def absent(self, rows: int) -> Tensor:
        """Return the input of a column that is not there."""
        sizes = [dim if isinstance(dim, int) else rows if dim == BATCH else 1 for dim in self.port.dims]
        return torch.full(sizes, self.null, dtype=self.port.dtype)


class LoneColumn(RawColumn):
    """A column that is encoded by itself; others are encoded side by side."""

    @abstractmethod
    def encode(self, given: Tensor) -> Tensor:
        """Return what the model reads, from the input after the look-up."""


class CategoryColumn(RawColumn):
    """Categories, looked up in a vocabulary; rows that were hashed pass."""

    null = NULL

    def __init__(self, encoder: CategoricalEncoder, sentinels: Sentinels) -> None:
        self.vocabulary = encoder.vocabulary
        self.port = keyed_port(encoder, sentinels, (BATCH,))

    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:  # noqa: D102
        keys = as_keys(column, purpose)
        check_type(keys.type, self.vocabulary.type, purpose, LEARNT_FROM)
        return raw_values(self.port.keys, keys) if self.port.keys else self.vocabulary.rows_of(keys).astype(np.int64)


class ListColumn(LoneColumn):
    """Lists of categories, cut to length in the graph."""

    null = NULL

    def __init__(self, encoder: SequenceEncoder, sentinels: Sentinels) -> None:
        self.feature, self.vocabulary = encoder.feature, encoder.vocabulary
        self.port = keyed_port(encoder, sentinels, (BATCH, f"length of {encoder.feature.name}"))

    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:  # noqa: D102
        keys, offsets = item_keys(replace(self.feature, max_length=None), column, purpose, self.vocabulary.type)
        check_type(keys.type, self.vocabulary.type, purpose, LEARNT_FROM)
        if self.port.keys is None:
            return padded(self.vocabulary.rows_of(keys).astype(np.int64), offsets, PADDING)
        return padded(raw_values(self.port.keys, keys), offsets, self.port.keys.padding)

    def encode(self, given: Tensor) -> Tensor:  # noqa: D102
        rows = never_empty(given)
        return rows if self.feature.max_length is None else cut(rows, self.feature.max_length, self.feature.keep)


class NumberColumn(RawColumn):
    """Numbers, NaN for null."""

    null = torch.nan

    def __init__(self, encoder: NumericEncoder) -> None:
        self.encoder = encoder
        self.port = Port(column_of(encoder.feature), torch.float64, holds="number", features=(encoder.feature.name,))

    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:  # noqa: D102
        numbers = self.encoder.prepare(column, purpose)
        return np.where(numbers.missing, np.nan, numbers.values)


class VectorColumn(LoneColumn):
    """Vectors, NaN throughout for null."""

    null = torch.nan

    def __init__(self, encoder: VectorEncoder) -> None:
        self.encoder, feature = encoder, encoder.feature
        self.port = Port(
            column_of(feature), torch.float32, (BATCH, feature.size), holds="vector", features=(feature.name,)
        )

    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:  # noqa: D102
        matrix = self.encoder.prepare(self.encoder.feature, column, purpose)
        return np.where(matrix[:, -1:] > 0, np.nan, matrix[:, :-1]).astype(np.float32)

    def encode(self, given: Tensor) -> Tensor:  # noqa: D102
        missing = given[:, :1].isnan()
        known = torch.where(missing, 0.0, given)
        return torch.cat([known, missing.float()], dim=1) if self.encoder.has_null else known


class TokensColumn(LoneColumn):
    """Texts, as the tokens that the tokeniser makes of them."""

    null = PADDING

    def __init__(self, encoder: TextEncoder) -> None:
        self.encoder, feature = encoder, encoder.feature
        dims = (BATCH, f"length of {feature.name}")
        self.port = Port(
            f"{column_of(feature)}.tokens", torch.int64, dims, holds="tokens of a text", features=(feature.name,)
        )

    def feed(self, column: pa.Array, purpose: str) -> np.ndarray:  # noqa: D102
        texts = self.encoder.encode_column(column, purpose)
        return padded(texts.tokens.values.astype(np.int64), texts.tokens.offsets, PADDING)[texts.codes]

    def encode(self, given: Tensor) -> Tensor:  # noqa: D102
        return given


def raw_column(encoder: Encoder, sentinels: Sentinels) -> RawColumn:
    """Return how a feature's column is read."""
    match encoder:
        case CategoricalEncoder():
            return CategoryColumn(encoder, sentinels)
        case SequenceEncoder():
            return ListColumn(encoder, sentinels)
        case NumericEncoder():
            return NumberColumn(encoder)
        case VectorEncoder():
            return VectorColumn(encoder)
        case TextEncoder():
            return TokensColumn(encoder)


def keyed_port(
    encoder: CategoricalEncoder | SequenceEncoder, sentinels: Sentinels, dims: tuple[int | str, ...]
) -> Port:
    """Return the input of a feature with a vocabulary: its values, or rows where they are hashed."""
    feature, vocabulary = encoder.feature, encoder.vocabulary
    name, what = column_of(feature), "list" if isinstance(feature, Sequence) else "category"
    if isinstance(vocabulary, Vocabulary):
        keys = sentinels.keys(vocabulary)
        return Port(name, torch.int64, dims, keys, what, (feature.name,))
    return Port(f"{name}.row", torch.int64, dims, None, f"{what}, hashed to rows", (feature.name,))


def raw_values(keys: Keys, values: pa.Array) -> np.ndarray:
    """Return int64 or strings ``[row]``, with the sentinel in the place of null."""
    if pa.types.is_null(keys.vocabulary.type):
        # nothing was learnt: any value will do
        return np.where(null_mask(values), keys.null, "").astype(object)
    if pa.types.is_null(values.type):
        values = values.cast(keys.vocabulary.type)
    found: Any = values.fill_null(keys.null).to_numpy(zero_copy_only=False)
    return found


def cut(rows: Tensor, length: int, keep: str) -> Tensor:
    """Return lists ``[batch, any]`` of which the first or last items are kept, the others padding."""
    places = torch.arange(rows.shape[1])
    present = (rows >= 0).sum(dim=1, keepdim=True)
    if keep == "last":
        start = (present - length).clamp(min=0)
        rows = rows.gather(1, (places + start).clamp(max=rows.shape[1] - 1))
    return torch.where(places < present.clamp(max=length), rows, PADDING)
