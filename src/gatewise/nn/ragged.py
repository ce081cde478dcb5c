"""Lists of different length in two tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.layout import NO_NUMBER, PADDING

MANY = 2**20
"""Size from which a padded matrix holds mostly padding, if lists have different lengths."""


@dataclass(frozen=True)
class Ragged:
    """Lists of ids, or of numbers, of different length: row i holds ``values[offsets[i] : offsets[i + 1]]``."""

    values: Tensor
    offsets: Tensor

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def to(self, device: torch.device) -> Ragged:
        """Return the lists on ``device``."""
        return Ragged(self.values.to(device), self.offsets.to(device))

    def padded(self, index: Tensor) -> Tensor:
        """Return the lists of the chosen rows, ``[batch, longest]``; ids are padded with -1, numbers with NaN."""
        padding = NO_NUMBER if self.values.is_floating_point() else PADDING
        starts = self.offsets[index]
        lengths = self.offsets[index + 1] - starts
        longest = int(lengths.max()) if len(index) else 0
        if longest == 0:
            return self.values.new_empty(len(index), 0)
        position = torch.arange(longest, device=starts.device)
        present = position < lengths[:, None]
        if present.numel() > MANY:
            # the index covers items only: its entries are wider than the items
            ends = lengths.cumsum(0)
            flat = torch.arange(int(ends[-1]), device=starts.device)
            items = self.values[flat + torch.repeat_interleave(starts - (ends - lengths), lengths)]
            return self.values.new_full(present.shape, padding).masked_scatter_(present, items)
        items = self.values[(starts[:, None] + position).clamp_(max=len(self.values) - 1)]
        return items.masked_fill_(~present, padding)
