"""A tokenised text column: every distinct text once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.nn.ragged import Ragged


class TextBatch(NamedTuple):
    """The texts of some rows.

    Shape:
        - tokens: ``[text, length]``, every distinct text of the rows once, padded with -1; a null text has no tokens
        - codes: ``[batch]``, index of each row's text
    """

    tokens: Tensor
    codes: Tensor


@dataclass(frozen=True)
class Texts:
    """The texts of a table.

    Shape:
        - tokens: :class:`Ragged` of ``[text]``, every distinct text of the table once
        - codes: ``[row]``, index of each row's text
        - vectors: ``[text, dim]``, outputs of a frozen encoder, or None before it has run
    """

    tokens: Ragged
    codes: Tensor
    vectors: Tensor | None = None

    def to(self, device: torch.device) -> Texts:
        """Return the texts on ``device``."""
        vectors = None if self.vectors is None else self.vectors.to(device)
        return replace(self, tokens=self.tokens.to(device), codes=self.codes.to(device), vectors=vectors)

    def batch(self, index: Tensor) -> TextBatch | Tensor:
        """Return the texts of the chosen rows, or their vectors ``[batch, dim]`` if these are known."""
        codes = self.codes.index_select(0, index)
        if self.vectors is not None:
            return self.vectors.index_select(0, codes)
        texts, codes = torch.unique(codes, return_inverse=True)
        return TextBatch(self.tokens.padded(texts), codes)
