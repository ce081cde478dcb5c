"""Text columns: tokens of every distinct text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gatewise.data.encoders.sequence import RaggedIds
from gatewise.data.plain_types import is_string
from gatewise.data.values import Distinct, distinct_keys
from gatewise.declare import Text
from gatewise.errors import DeclarationError, MissingExtraError, TableError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TEXTS_AT_ONCE = 10_000


@dataclass(frozen=True)
class EncodedTexts:
    """A text column.

    Attributes:
        tokens: of every distinct text; the last one stands for null and has none.
        codes: ``[row]`` int64, which text each row holds.
    """

    tokens: RaggedIds
    codes: np.ndarray


class TextEncoder:
    """Tokenises texts as the language model that reads them was trained to.

    Attributes:
        tokenizer: as the JSON of the library ``tokenizers``.
        config: the language model's architecture, as the JSON of ``transformers``.
        dim: width of its outputs.
        vocabulary: how many tokens it knows.
        padding: the token that stands for padding.
    """

    def __init__(self, feature: Text, *, tokenizer: str, config: str, dim: int, vocabulary: int, padding: int) -> None:
        self.feature = feature
        self.tokenizer, self.config = tokenizer, config
        self.dim, self.vocabulary, self.padding = dim, vocabulary, padding

    @staticmethod
    def prepare(column: pa.Array, purpose: str) -> Distinct:
        """Split a raw column into distinct texts and which one each row holds.

        Raises:
            TableError: no strings.
        """
        found = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not is_string(found) and not pa.types.is_null(found):
            raise TableError(f"{purpose}: expected strings, found {column.type}")
        return distinct_keys(column, purpose)

    @classmethod
    def fit(cls, feature: Text) -> TextEncoder:
        """Take tokeniser and architecture over from the language model; nothing is learnt of the table.

        Raises:
            MissingExtraError: ``transformers`` is not installed.
            DeclarationError: there is no such language model, or it does not read texts of that length.
        """
        try:
            from transformers import AutoConfig, AutoTokenizer
        except ImportError:
            raise MissingExtraError("text", f"feature {feature.name!r}") from None
        try:
            config = AutoConfig.from_pretrained(feature.encoder)
            tokenizer = AutoTokenizer.from_pretrained(feature.encoder)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise DeclarationError(
                f"feature {feature.name!r}: encoder {feature.encoder!r} cannot be read: {reason}"
            ) from None
        if not tokenizer.is_fast:
            raise DeclarationError(f"feature {feature.name!r}: encoder {feature.encoder!r} has no tokenizer.json")
        longest = getattr(config, "max_position_embeddings", feature.max_length)
        if feature.max_length > longest:
            raise DeclarationError(
                f"feature {feature.name!r}: max_length {feature.max_length}, and the encoder reads {longest} tokens"
            )
        padding = next((id_ for id_ in (tokenizer.pad_token_id, config.pad_token_id) if id_ is not None), 0)
        plain = {key: value for key, value in config.to_dict().items() if not key.startswith("_")}
        return cls(
            feature,
            tokenizer=tokenizer.backend_tokenizer.to_str(),
            config=json.dumps(plain),
            dim=config.hidden_size,
            vocabulary=config.vocab_size,
            padding=padding,
        )

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise MissingExtraError("text", f"feature {self.feature.name!r}") from None
        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.feature.max_length)
        return tokenizer

    def encode_column(self, column: pa.Array, purpose: str) -> EncodedTexts:
        """Encode a raw column."""
        return self.encode(self.prepare(column, purpose))

    def encode(self, texts: Distinct) -> EncodedTexts:
        """Return the tokens of every distinct text, and which text each row holds."""
        tokens: list[list[int]] = []
        for start in range(0, len(texts.values), TEXTS_AT_ONCE):
            piece = texts.values.slice(start, TEXTS_AT_ONCE).to_pylist()
            tokens += [encoding.ids for encoding in self._tokenizer.encode_batch_fast(piece)]
        lengths = [len(ids) for ids in tokens]
        # null comes last, and has no tokens
        offsets = np.concatenate([[0], np.cumsum([*lengths, 0], dtype=np.int64)])
        values = np.fromiter((token for ids in tokens for token in ids), dtype=np.int32, count=int(offsets[-1]))
        return EncodedTexts(RaggedIds(values, offsets), texts.codes.astype(np.int64))

    def state(self) -> dict[str, Any]:
        """Return what was taken over, as JSON values."""
        return {
            "tokenizer": self.tokenizer,
            "config": self.config,
            "dim": self.dim,
            "vocabulary": self.vocabulary,
            "padding": self.padding,
        }
