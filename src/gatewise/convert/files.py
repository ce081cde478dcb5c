"""From a file of weights and a specification to an artefact."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gatewise.convert.convert import LIBRARIES, converted
from gatewise.convert.spec import Spec
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.ranker import Ranker


def convert_file(weights: Path, spec: Path, library: str) -> Ranker:
    """Return a ranker from a file of weights and a YAML file with a specification.

    Args:
        weights: what ``torch.save(model.state_dict(), ...)`` wrote; nothing in it is executed.
        spec: the model's class, features and tasks, see :class:`Spec`.
        library: ``torch-rechub`` or ``deepctr-torch``.

    Raises:
        DeclarationError: the file holds a whole model, or something has no counterpart; names it.
    """
    if library not in LIBRARIES:
        hint = did_you_mean(library, LIBRARIES)
        raise DeclarationError(f"--from: expected one of {shown(LIBRARIES)}, found {library!r}{hint}")
    return converted(library, read_weights(weights), Spec.read(spec))


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return the state dictionary of a file.

    Raises:
        DeclarationError: the file holds something else.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):
            raise DeclarationError(f"{str(path)!r}: is no file of weights") from None
        raise DeclarationError(
            f"{str(path)!r}: holds a whole model, and opening one executes code: "
            "write torch.save(model.state_dict(), ...) and convert that file"
        ) from None
    except (RuntimeError, EOFError, ValueError) as error:
        raise DeclarationError(f"{str(path)!r}: is no file of weights: {str(error).splitlines()[0]}") from None
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DeclarationError(f"{str(path)!r}: expected a state dictionary of tensors, found {type(found).__name__}")
    return found
