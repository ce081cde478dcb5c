"""One dictionary of texts for a whole cache."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gatewise.data.ragged import EncodedTexts, RaggedIds


class TextDictionary:
    """Numbers the distinct texts of a column over all pieces, by their tokens, in the order in which they come."""

    def __init__(self) -> None:
        self._code_of: dict[bytes, int] = {}
        self._tokens: list[np.ndarray] = []

    def add(self, tokens: RaggedIds) -> np.ndarray:
        """Return the number of every text of a piece, after new ones were added."""
        codes = np.empty(len(tokens), dtype=np.int64)
        for place, (start, end) in enumerate(pairwise(tokens.offsets.tolist())):
            text = tokens.values[start:end]
            code = self._code_of.setdefault(text.tobytes(), len(self._tokens))
            if code == len(self._tokens):
                self._tokens.append(text)
            codes[place] = code
        return codes

    def coded(self, texts: EncodedTexts) -> EncodedTexts:
        """Return the texts of a piece with the dictionary's codes, and their own tokens."""
        return EncodedTexts(texts.tokens, self.add(texts.tokens)[texts.codes])

    def tokens(self, first: int = 0) -> RaggedIds:
        """Return the tokens of every text, from the ``first`` on."""
        found: Sequence[np.ndarray] = self._tokens[first:]
        offsets = np.concatenate([[0], np.cumsum([len(text) for text in found], dtype=np.int64)])
        return RaggedIds(np.concatenate([np.zeros(0, np.int32), *found]), offsets)

    def __len__(self) -> int:
        return len(self._tokens)
