"""Weights of an artefact: from bytes to checked tensors."""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from gatewise.errors import ArtefactError

LARGEST = 1e12
"""Largest absolute value of a weight: trained weights are near 1, as inputs and labels are standardised."""
AT_ONCE = 2**22
"""Numbers that are checked at once."""
Weights = dict[str, Tensor]


def read_weights(file: str, content: bytes) -> Weights:
    """Return the weights in a safetensors file, whose header is checked against the file's size.

    Raises:
        ArtefactError: the file is not a safetensors file, or a tensor holds NaN or infinity; names the tensor.
    """
    weights = read_tensors(file, content)
    check_values(file, weights)
    return weights


def read_tensors(file: str, content: bytes) -> Weights:
    """Return the tensors of a safetensors file, whatever their values.

    Raises:
        ArtefactError: the file is not a safetensors file.
    """
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArtefactError(f"{file} cannot be read: {reason}") from None


def check_values(file: str, weights: Weights) -> None:
    """Refuse weights that training cannot give and that would make predictions infinite.

    Raises:
        ArtefactError: a tensor holds NaN, infinity or a number that is far too large; names the tensor.
    """
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not all(
            bool((some.abs() <= LARGEST).all()) for some in _some_at_once(tensor)
        ):
            raise ArtefactError(f"{file}: {name} holds a value that is not finite, or beyond {LARGEST:g}")


def _some_at_once(tensor: Tensor) -> tuple[Tensor, ...]:
    """Return a tensor in pieces, of which a copy takes little memory."""
    return (
        (tensor,) if tensor.ndim == 0 else torch.split(tensor, max(1, AT_ONCE * len(tensor) // max(1, tensor.numel())))
    )


def check_weights(file: str, weights: Weights, model: nn.Module) -> None:
    """Compare tensors with a model, which may be on the meta device: names, shapes and types.

    Raises:
        ArtefactError: they differ; names the first tensor that differs.
    """
    expected = model.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        wanted, found = (_described(tensors.get(name)) for tensors in (expected, weights))
        if wanted != found:
            raise ArtefactError(f"{file}: expected {name} to be {wanted}, found {found}")


def _described(tensor: Tensor | None) -> str:
    if tensor is None:
        return "absent"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
