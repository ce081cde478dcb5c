"""Large tensors in files, so that they may be larger than the memory."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

LARGE = 2**28
"""Bytes from which on a tensor stands in a file."""


def empty_on_disk(shape: Sequence[int], dtype: torch.dtype, folder: Path | None) -> Tensor:
    """Return a tensor on the CPU that is to be written, in a file without a name if it is large.

    The system keeps as much of it in memory as there is room for. The file goes with the tensor, and with the process,
    however it ends.

    Args:
        shape: of the tensor.
        dtype: of its values.
        folder: where the file is; None, or a folder without so much room: the tensor stands in memory.
    """
    count = math.prod(shape)
    size = count * torch.empty(0, dtype=dtype).element_size()
    if folder is None or size < LARGE or not size or not hasattr(os, "posix_fallocate"):
        return torch.empty(*shape, dtype=dtype)
    descriptor, name = tempfile.mkstemp(prefix=".gatewise-", dir=folder)
    try:
        # writing beyond the room of a disk would end the process
        os.posix_fallocate(descriptor, 0, size)
        return torch.from_file(name, shared=True, size=count, dtype=dtype).view(*shape)
    except OSError:
        return torch.empty(*shape, dtype=dtype)
    finally:
        os.close(descriptor)
        Path(name).unlink()
