"""Checkpoints: everything needed to go on as if nothing had happened."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from gatewise.errors import ArtefactError
from gatewise.files import write_atomically


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all.

    Raises:
        ArtefactError: the file cannot be written; an older checkpoint is still there.
    """

    def write(temporary: Path) -> None:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:
            # torch's zip writer reports a full disk as a RuntimeError
            raise OSError(None, str(error).splitlines()[0]) from error

    write_atomically(path, write)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; nothing in it is executed.

    Raises:
        ArtefactError: the file is absent or damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ArtefactError(f"there is no checkpoint {str(path)!r} to resume from") from None
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArtefactError(f"checkpoint {str(path)!r} is damaged: {reason}") from None
    return state
