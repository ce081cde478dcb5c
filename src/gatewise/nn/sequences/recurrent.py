"""Pooling by the last state of a recurrent network."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError, did_you_mean
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences.padded import Padded

CELLS: dict[str, type[nn.LSTM | nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentPooling(nn.Module):
    """The state of an LSTM or GRU after a sequence's last item.

    Args:
        cell: ``lstm`` or ``gru``.
        input_dim: width of an item.
        dim: width of the state.

    Shape:
        - input: :class:`Padded`, and any further arguments
        - output ``[batch, dim]``

    References:
        Hochreiter, Schmidhuber: Long Short-Term Memory. Neural Computation, 1997.
        Cho et al.: Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation.
        EMNLP 2014.
    """

    def __init__(self, cell: str, input_dim: int, dim: int) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, dim=dim)
        if cell not in CELLS:
            raise ShapeError(f"cell: expected lstm or gru, found {cell!r}{did_you_mean(cell, CELLS)}")
        self.cell = CELLS[cell](input_dim, dim, batch_first=True)
        self.output_dim = dim

    @override
    def forward(self, items: Padded, target: Tensor | None = None) -> Tensor:
        vectors, present = items
        if vectors.shape[0] == 0 or vectors.shape[1] == 0:
            return vectors.new_zeros(vectors.shape[0], self.output_dim)
        states, _ = self.cell(vectors)
        # padding comes last, so that the state after the last item does not depend on it
        lengths = present.sum(dim=1)
        last = (lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, self.output_dim)
        final: Tensor = states.gather(1, last).squeeze(1)
        return final * (lengths > 0).unsqueeze(1)
