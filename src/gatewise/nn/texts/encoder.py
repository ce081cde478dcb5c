"""Text vectors from a language model."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError, did_you_mean
from gatewise.nn.ragged import Ragged
from gatewise.nn.texts.texts import TextBatch

POOLINGS = ("mean", "cls")
TEXTS_AT_ONCE = 64


class TextEncoder(nn.Module):
    r"""One vector per text: the pooled outputs of a language model.

    .. math:: v = \frac{1}{n} \sum_{i=1}^{n} H_i \quad \text{(mean)}, \qquad v = H_1 \quad \text{(cls)}

    where :math:`H_1, \dots, H_n` are the outputs for the text's tokens; in models such as BERT the first one represents
    the whole text. A text without tokens gives zeros.

    Args:
        encoder: called as ``encoder(input_ids=..., attention_mask=...)``, it returns an object whose
            ``last_hidden_state`` is ``[text, length, dim]``, as models of ``transformers`` do.
        dim: width of its outputs.
        pooling: ``mean`` or ``cls``.
        frozen: whether the encoder is not trained: it stays in evaluation mode and gets no gradient.
        padding: id of the padding token in the encoder's vocabulary.

    Shape:
        - input: :class:`TextBatch`, or vectors ``[batch, dim]`` from :meth:`read_all`, which are returned unchanged
        - output ``[batch, dim]``

    Raises:
        ShapeError: unknown pooling.

    References:
        Devlin et al.: BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding. NAACL 2019.
        Reimers, Gurevych: Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks. EMNLP 2019.
    """

    def __init__(
        self, encoder: nn.Module, dim: int, *, pooling: str = "mean", frozen: bool = True, padding: int = 0
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ShapeError(f"pooling: expected mean or cls, found {pooling!r}{did_you_mean(pooling, POOLINGS)}")
        self.encoder = encoder.requires_grad_(not frozen)
        self.output_dim, self.pooling, self.frozen, self.padding = dim, pooling, frozen, padding
        self.train(self.training)

    @override
    def train(self, mode: bool = True) -> TextEncoder:
        """Switch training mode on or off; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        self.encoder.train(mode and not self.frozen)
        return self

    @override
    def forward(self, texts: TextBatch | Tensor) -> Tensor:
        if isinstance(texts, Tensor):
            return texts
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.read(texts.tokens).index_select(0, texts.codes)

    def read(self, tokens: Tensor) -> Tensor:
        """Return the vectors ``[text, dim]`` of tokens ``[text, length]``, padded with -1."""
        present = tokens >= 0
        if tokens.numel() == 0:
            return torch.zeros(len(tokens), self.output_dim, device=tokens.device)
        empty = ~present.any(dim=1, keepdim=True)
        # attention without any token is undefined: an empty text attends to its padding, and gets zeros below
        attended = present | empty
        ids = tokens.where(present, self.padding).long()
        with lent():
            output = self.encoder(input_ids=ids, attention_mask=attended.long())
        return self._pooled(output.last_hidden_state, present) * ~empty

    def _pooled(self, outputs: Tensor, present: Tensor) -> Tensor:
        if self.pooling == "cls":
            return outputs[:, 0]
        summed = (outputs * present.unsqueeze(2)).sum(dim=1)
        return summed / present.sum(dim=1, keepdim=True).clamp(min=1)

    @torch.no_grad()
    def read_all(self, tokens: Ragged, read: Callable[[int], None] = lambda _: None) -> Tensor:
        """Return the vectors ``[text, dim]`` of all texts, in evaluation mode.

        Args:
            tokens: ``[text]``.
            read: called after every batch with the number of texts read.
        """
        was_training = self.training
        self.eval()
        vectors = torch.zeros(len(tokens), self.output_dim, device=tokens.values.device)
        # texts of similar length together, so that batches have little padding
        for index in torch.split(tokens.offsets.diff().argsort(), TEXTS_AT_ONCE):
            vectors[index] = self.read(tokens.padded(index)).float()
            read(len(index))
        self.train(was_training)
        return vectors
