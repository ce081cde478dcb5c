"""An encoded table: the rows as a few contiguous matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gatewise.data.ragged import EncodedTexts, RaggedIds, RaggedNumbers


@dataclass(frozen=True)
class EncodedTable:
    """The output of a :class:`TableEncoder`.

    Attributes:
        ids: ``[row, column]`` int32, categorical features and bucketised numbers.
        lists: one ragged list column per ``Sequence``.
        floats: ``[row, column]`` float32, numbers, null flags and vectors.
        labels: ``[row, label]`` float64 in their own units, NaN: not in the task's sample; None: no labels.
        weights: ``[row, task]`` float32, or None: all 1.
        texts: one column per ``Text``.
        groups: ``[row]`` int64, group of each row, -1: no group; None: no groups.
        known: numbers ``[row]`` float64 for a fusion, by column.
        number_lists: one ragged list column per list of numbers beside a list of ids.
    """

    ids: np.ndarray
    lists: tuple[RaggedIds, ...]
    floats: np.ndarray
    labels: np.ndarray | None = None
    weights: np.ndarray | None = None
    texts: tuple[EncodedTexts, ...] = ()
    groups: np.ndarray | None = None
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    number_lists: tuple[RaggedNumbers, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def followed_by(self, other: EncodedTable) -> EncodedTable:
        """Return the rows of two tables of one encoder below each other; their groups stay apart."""
        parts = (self, other)
        return EncodedTable(
            np.concatenate([part.ids for part in parts]),
            tuple(one.followed_by(two) for one, two in zip(self.lists, other.lists, strict=True)),
            np.concatenate([part.floats for part in parts]),
            None if self.labels is None or other.labels is None else np.concatenate([self.labels, other.labels]),
            _weights_of(self, other),
            tuple(one.followed_by(two) for one, two in zip(self.texts, other.texts, strict=True)),
            _groups_of(self, other),
            {name: np.concatenate([column, other.known[name]]) for name, column in self.known.items()},
            tuple(one.followed_by(two) for one, two in zip(self.number_lists, other.number_lists, strict=True)),
        )

    def taken(self, index: np.ndarray) -> EncodedTable:
        """Return the chosen rows, in their order."""
        return EncodedTable(
            self.ids[index],
            tuple(lists.taken(index) for lists in self.lists),
            self.floats[index],
            None if self.labels is None else self.labels[index],
            None if self.weights is None else self.weights[index],
            tuple(EncodedTexts(texts.tokens, texts.codes[index]) for texts in self.texts),
            None if self.groups is None else self.groups[index],
            {name: column[index] for name, column in self.known.items()},
            tuple(lists.taken(index) for lists in self.number_lists),
        )


def _weights_of(one: EncodedTable, other: EncodedTable) -> np.ndarray | None:
    known = one.weights if one.weights is not None else other.weights
    if known is None:
        return None
    ones = [np.ones((len(part), known.shape[1]), np.float32) for part in (one, other)]
    parts = zip((one, other), ones, strict=True)
    return np.concatenate([filled if part.weights is None else part.weights for part, filled in parts])


def _groups_of(one: EncodedTable, other: EncodedTable) -> np.ndarray | None:
    if one.groups is None or other.groups is None:
        return None
    behind = one.groups.max(initial=-1) + 1
    return np.concatenate([one.groups, np.where(other.groups < 0, -1, other.groups + behind)])
