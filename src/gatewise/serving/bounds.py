"""Bounds of declared sizes: a size beyond the file's weights would take time and memory to build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatewise.errors import ArtefactError
from gatewise.serving.weights import Weights

LENIENT = 1_000
"""Sizes up to this number are allowed in any case, because they cost nothing."""
NO_SIZES = ("anneal_steps", "keep_days", "max_length", "max_rows", "min_count", "padding")
"""Options that are whole numbers but not sizes."""


def check_sizes(what: str, declared: Any, weights: Weights) -> None:
    """Refuse a declaration with a size above the number of values in the weights.

    Raises:
        ArtefactError: an option is too large; names the option.
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
