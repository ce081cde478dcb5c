"""Text columns: tokens of every distinct text."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field
from typing_extensions import TypedDict, override

from gatewise.data.columns.column import FeatureColumn
from gatewise.data.columns.description import Description
from gatewise.data.columns.samples import with_nulls
from gatewise.data.hub import hub_options, why_not
from gatewise.data.layouts import LayoutBuilder
from gatewise.data.plain_types import is_string
from gatewise.data.ragged import EncodedTexts, RaggedIds
from gatewise.data.saved import STRICT
from gatewise.data.values import Distinct, distinct_keys
from gatewise.declare import Text
from gatewise.errors import DeclarationError, MissingExtraError, TableError
from gatewise.layout import TextColumn

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TEXTS_AT_ONCE = 10_000


class TextState(TypedDict):
    """The saved state of a text column."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    tokenizer: str
    config: str
    dim: Annotated[int, Field(gt=0)]
    vocabulary: Annotated[int, Field(gt=0)]
    padding: Annotated[int, Field(ge=0)]


class TextsColumn(FeatureColumn[Text, Distinct]):
    """A column of texts, tokenised by the tokeniser of the language model that reads them.

    Attributes:
        tokenizer: the tokeniser, in the JSON format of ``tokenizers``.
        config: the language model's architecture, in the JSON format of ``transformers``.
        dim: width of the language model's outputs.
        tokens: number of tokens in the vocabulary.
        padding: id of the padding token.
    """

    state_type = TextState
    text_priority = 2

    tokenizer: str
    config: str
    dim: int
    tokens: int
    padding: int

    @property
    @override
    def text_type(self) -> pa.DataType:
        return pa.string()

    @override
    def prepare(self, column: pa.Array) -> Distinct:
        """Split a picked column into distinct texts and the code of each row's text.

        Raises:
            TableError: the values are not strings.
        """
        found = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not is_string(found) and not pa.types.is_null(found):
            raise TableError(f"{self.purpose}: expected strings, found {column.type}")
        return distinct_keys(column, self.purpose)

    @override
    def learn(self) -> None:
        """Load tokeniser and architecture of the language model; nothing is learnt from the table.

        Raises:
            MissingExtraError: ``transformers`` is not installed.
            DeclarationError: unknown language model, or texts of the declared length are too long for it.
        """
        feature = self.feature
        try:
            from transformers import AutoConfig, AutoTokenizer
        except ImportError:
            raise MissingExtraError("text", f"feature {feature.name!r}") from None
        try:
            where = hub_options(feature.encoder)
            config = AutoConfig.from_pretrained(feature.encoder, **where)
            tokenizer = AutoTokenizer.from_pretrained(feature.encoder, **where)
        except (OSError, ValueError) as error:
            reason = why_not(feature.encoder, error)
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
        self.tokenizer, self.config = tokenizer.backend_tokenizer.to_str(), json.dumps(plain)
        self.dim, self.tokens, self.padding = config.hidden_size, config.vocab_size, padding

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

    @override
    def encode_column(self, column: pa.Array) -> EncodedTexts:
        """Return the tokens of every distinct text in a picked column, and the code of each row's text."""
        return self.encode(self.prepare(column))

    @override
    def encode(self, prepared: Distinct) -> EncodedTexts:
        """Return the tokens of every distinct text, and the code of each row's text."""
        tokens: list[list[int]] = []
        for start in range(0, len(prepared.values), TEXTS_AT_ONCE):
            piece = prepared.values.slice(start, TEXTS_AT_ONCE).to_pylist()
            tokens += [encoding.ids for encoding in self._tokenizer.encode_batch_fast(piece)]
        lengths = [len(ids) for ids in tokens]
        # null comes last, and has no tokens
        offsets = np.concatenate([[0], np.cumsum([*lengths, 0], dtype=np.int64)])
        values = np.fromiter((token for ids in tokens for token in ids), dtype=np.int32, count=int(offsets[-1]))
        return EncodedTexts(RaggedIds(values, offsets), prepared.codes.astype(np.int64))

    @override
    def lay_out(self, layout: LayoutBuilder) -> None:
        """Add a text column and its language model."""
        feature = self.feature
        layout.text(
            TextColumn(
                feature.name,
                source=feature.encoder,
                config=self.config,
                dim=self.dim,
                vocabulary=self.tokens,
                padding=self.padding,
                pooling=feature.pooling,
                frozen=feature.frozen,
                lr_factor=feature.lr_factor,
            )
        )

    @override
    def description(self) -> Description:
        """Return the type only."""
        return Description("string", "string", example="")

    @property
    @override
    def particular(self) -> int:
        return 1

    @override
    def sample(self, rows: int, rng: np.random.Generator) -> list[Any]:
        """Return made-up words."""
        return with_nulls([" ".join(_words(rng)) for _ in range(rows)], rng)

    @override
    def state(self) -> dict[str, Any]:
        """Return tokeniser and architecture as JSON values."""
        return {
            "tokenizer": self.tokenizer,
            "config": self.config,
            "dim": self.dim,
            "vocabulary": self.tokens,
            "padding": self.padding,
        }

    @override
    def restore(self, state: dict[str, Any]) -> None:
        """Restore a saved :meth:`state`."""
        self.tokenizer, self.config = state["tokenizer"], state["config"]
        self.dim, self.tokens, self.padding = state["dim"], state["vocabulary"], state["padding"]


def _words(rng: np.random.Generator) -> list[str]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return ["".join(rng.choice(letters, rng.integers(1, 8))) for _ in range(rng.integers(0, 20))]
