"""The device of a training."""

from __future__ import annotations

import torch

from gatewise.errors import DeclarationError, did_you_mean


def choose_device(name: str = "auto") -> torch.device:
    """Return the named device; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        DeclarationError: unknown name, or this machine does not have the device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeclarationError(f"device {name!r}: unknown{did_you_mean(name, available)}") from None
    if not available.get(device.type, False):
        raise DeclarationError(
            f"device {name!r}: this machine has {', '.join(k for k, there in available.items() if there)}"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeclarationError(f"device {name!r}: this machine has {torch.cuda.device_count()} CUDA devices")
    return device
