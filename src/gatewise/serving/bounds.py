"""No declared size of a saved model is larger than what its file holds: else building it takes time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatewise.errors import ArtefactError
from gatewise.serving.weights import Weights

LENIENT = 1_000
"""Sizes up to this cost nothing, whatever the file holds."""
NO_SIZES = ("anneal_steps", "max_length", "min_count")
"""Whole numbers that nothing is built by."""


def check_sizes(what: str, declared: Any, weights: Weights) -> None:
    """Refuse a declaration with a whole number that is larger than the number of values in the weights.

    Raises:
        ArtefactError: names the option.
    """
    held = max(LENIENT, sum(tensor.numel() for tensor in weights.values()))
    for path, number in _numbers(what, declared):
        if abs(number) > held:
            raise ArtefactError(f"{path}: expected at most {held}, the number of values in the weights, found {number}")


def _numbers(path: str, value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NO_SIZES:
                yield from _numbers(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _numbers(f"{path}[{i}]", inner)
    elif isinstance(value, int):
        yield path, value
