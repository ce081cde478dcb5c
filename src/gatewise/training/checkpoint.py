"""Checkpoints: everything that a resumed training needs."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from gatewise.errors import ArtefactError
from gatewise.files import write_atomically


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values atomically.

    Raises:
        ArtefactError: the file cannot be written; an older checkpoint is kept.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:
                # torch's zip writer replaces the reason, such as a full disk, by an error of its own
                reason = error.__context__
                raise reason if isinstance(reason, OSError) else OSError(None, str(error).splitlines()[0]) from None

    write_atomically(path, write)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the contents of a checkpoint; no code in the file is executed.

    Raises:
        ArtefactError: the file is absent or damaged.
    """
    try:
        # torch does not verify the checksums
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is not None:
            raise ValueError(f"checksum of {broken!r} is wrong")
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(f"expected a dict, found {type(state).__name__}")
    except FileNotFoundError:
        raise ArtefactError(f"there is no checkpoint {str(path)!r} to resume from") from None
    except pickle.UnpicklingError:
        raise ArtefactError(f"checkpoint {str(path)!r} holds more than tensors and plain values: refused") from None
    except Exception as error:  # readers raise almost any error on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArtefactError(f"checkpoint {str(path)!r} is damaged: {reason}") from None
    return state
