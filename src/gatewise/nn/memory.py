"""One-line errors when memory runs out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gatewise.errors import OutOfMemoryError

BYTES = re.compile(r"allocate (\d+) bytes")


@contextmanager
def enough_memory(what: str) -> Iterator[None]:
    """Turn torch's many out-of-memory errors into one that says in one line what needs the memory.

    Args:
        what: names what needs memory, such as ``the model``, and the remedy.

    Raises:
        OutOfMemoryError: memory ran out within the block.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_shortage(error):
            raise
        size = BYTES.search(str(error))
        asked = f" ({int(size.group(1)) / 2**30:,.1f} GiB were asked for)" if size else ""
        raise OutOfMemoryError(f"there is no memory for {what}{asked}") from None


def _is_shortage(error: RuntimeError) -> bool:
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in said or "out of memory" in said
