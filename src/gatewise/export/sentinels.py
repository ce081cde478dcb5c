"""Sentinels: values for null and padding in tensors, which have neither."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import pyarrow as pa

from gatewise.data import AnyVocabulary, NumberedVocabulary, Vocabulary
from gatewise.export.ports import Keys

Value = TypeVar("Value", int, str)
SMALLEST = int(np.iinfo(np.int64).min)


class Sentinels:
    """The first values that no vocabulary holds, equal for all inputs.

    Integers count up from the smallest int64; strings are ``<null>`` and ``<padding>``, with an underscore for
    every vocabulary that holds them.

    Args:
        vocabularies: all vocabularies of the encoder.
        paddings: further values that have a meaning already.
    """

    def __init__(self, vocabularies: Iterable[AnyVocabulary], paddings: Iterable[int | str] = ()) -> None:
        learnt = [vocabulary for vocabulary in vocabularies if isinstance(vocabulary, Vocabulary)]
        numbers = [v.values for v in learnt if pa.types.is_integer(v.type)]
        texts = [v.values for v in learnt if not pa.types.is_integer(v.type)]
        declared = [*paddings]
        numbers.append(pa.array([value for value in declared if isinstance(value, int)], pa.int64()))
        texts.append(pa.array([value for value in declared if isinstance(value, str)], pa.string()))
        self.integers = tuple(itertools.islice(_unused(itertools.count(SMALLEST), numbers), 2))
        self.strings = tuple(next(_unused(_longer(f"<{name}>"), texts)) for name in ("null", "padding"))

    def keys(self, vocabulary: Vocabulary | NumberedVocabulary) -> Keys:
        """Return the look-up in a vocabulary."""
        null, padding = self.integers if pa.types.is_integer(vocabulary.type) else self.strings
        return Keys(vocabulary, null, padding)


def _longer(text: str) -> Iterator[str]:
    return (text + "_" * more for more in itertools.count())


def _unused(candidates: Iterator[Value], used: list[pa.Array]) -> Iterator[Value]:
    taken = set(itertools.chain.from_iterable(values.to_pylist() for values in used))
    return (value for value in candidates if value not in taken)
