"""A vocabulary over time: values seen often enough are admitted, and those not seen for long lose their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import null_mask
from gatewise.data.vocabularies.learnt import Vocabulary, summed
from gatewise.layout import OUT_OF_VOCABULARY, RESERVED_ROWS


@dataclass(frozen=True)
class Rules:
    """Which values have rows.

    Attributes:
        min_count: how often a value is seen, over all days, before it is admitted.
        keep_days: a value that was not seen on so many days in a row loses its row; None: never.
        max_rows: most values that have rows; None: any number.
    """

    min_count: int = 1
    keep_days: int | None = None
    max_rows: int | None = None

    @property
    def waits(self) -> bool:
        """Whether values may have to wait for a row."""
        return self.min_count > 1 or self.max_rows is not None

    @property
    def leaves(self) -> bool:
        """Whether values may lose their rows."""
        return self.keep_days is not None or self.max_rows is not None

    @property
    def remembers(self) -> bool:
        """Whether anything has to be remembered from day to day."""
        return self.waits or self.leaves


@dataclass(frozen=True)
class Waiting:
    """Values that have no row yet.

    Attributes:
        values: distinct values.
        counts: int64, how often each was seen, over all days.
        last: int32, the day on which each was seen last.
    """

    values: pa.Array
    counts: np.ndarray
    last: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def chosen(self, which: np.ndarray) -> Waiting:
        """Return those at some places, or under a mask."""
        places = np.flatnonzero(which) if which.dtype == bool else which
        return Waiting(self.values.take(pa.array(places)), self.counts[places], self.last[places])

    def with_day(self, values: pa.Array, counts: np.ndarray, day: int) -> Waiting:
        """Return them with further counts of a day, by rising value."""
        if not len(values):
            return self
        before = self.values.cast(values.type)
        together = pa.concat_arrays([before, values])
        found, totals = summed(together, np.concatenate([self.counts, counts]))
        last = np.full(len(found), day, np.int32)
        old = pc.index_in(before, value_set=found).to_numpy() if len(before) else np.zeros(0, np.int64)
        today = pc.is_in(found, value_set=values).to_numpy(zero_copy_only=False)
        last[old] = np.where(today[old], day, self.last)
        return Waiting(found, totals, last)


NOBODY = Waiting(pa.nulls(0), np.zeros(0, np.int64), np.zeros(0, np.int32))


@dataclass(frozen=True)
class Seen:
    """What is remembered of a vocabulary's days.

    Attributes:
        day: the number of days that were learnt after the training table.
        waiting: the values that have no row.
        last: ``[value]`` int32, the day on which every value of the vocabulary was seen last.
    """

    day: int
    waiting: Waiting
    last: np.ndarray

    @classmethod
    def fresh(cls, vocabulary: Vocabulary) -> Seen:
        """Return what is known of a vocabulary of which nothing was remembered: all values were seen today."""
        return cls(0, NOBODY, np.zeros(vocabulary.size, np.int32))


class Turnover(NamedTuple):
    """What a day, or a further table, did to a vocabulary.

    Attributes:
        admitted: number of values that got a row.
        given_back: number of values that lost theirs.
        waiting: number of values that were seen and have no row yet.
    """

    admitted: int
    given_back: int
    waiting: int


def begun(values: pa.Array, counts: np.ndarray, rules: Rules) -> tuple[Vocabulary, Seen | None]:
    """Return the vocabulary of a training table, and what is to be remembered; None: nothing."""
    vocabulary = Vocabulary.learn(values, counts, rules.min_count, rules.max_rows)
    if not rules.remembers:
        return vocabulary, None
    seen = Seen.fresh(vocabulary)
    if rules.waits and len(values):
        values, counts = summed(values, counts)
        waiting = Waiting(values, counts, np.zeros(len(values), np.int32))
        seen = replace(seen, waiting=waiting.chosen(vocabulary.lookup(values) == OUT_OF_VOCABULARY))
    return vocabulary, seen


def turned_over(
    vocabulary: Vocabulary, seen: Seen, values: pa.Array, counts: np.ndarray, rules: Rules, *, a_day: bool
) -> tuple[Vocabulary, Seen, Turnover]:
    """Return a vocabulary after further values.

    Rows stay where they are. A value is admitted when its count over all days reaches ``min_count``, the most frequent
    first: to a free row, to a new one, or, where ``max_rows`` are taken, to the row of the value that was not seen for
    the longest time. Values that were seen on this day keep their rows.

    Args:
        vocabulary: the vocabulary.
        seen: what is remembered of it.
        values: the values of the further table, which may repeat.
        counts: how often each was seen.
        rules: which values have rows.
        a_day: whether a day has passed: its counts are remembered, and values not seen for ``keep_days`` leave. Without
            it, the table is only looked at for values to admit.
    """
    values, counts = summed(values, counts)
    rows = vocabulary.lookup(values)
    known = rows != OUT_OF_VOCABULARY
    day = seen.day + 1
    last = seen.last.copy()
    last[rows[known] - RESERVED_ROWS] = day
    waiting = seen.waiting.with_day(values.filter(pa.array(~known)), counts[~known], day)
    taken = ~null_mask(vocabulary.values) if vocabulary.size else np.zeros(0, bool)
    aged = taken & (day - last >= rules.keep_days) if a_day and rules.keep_days else np.zeros(len(taken), bool)
    if rules.keep_days:
        waiting = waiting.chosen(day - waiting.last < rules.keep_days)
    ready = np.flatnonzero(waiting.counts >= rules.min_count)
    ready = ready[np.argsort(-waiting.counts[ready], kind="stable")]
    places = _places(taken & ~aged, last, day, len(ready), rules.max_rows)
    ready = _in_time(ready, waiting.last, places, len(taken), taken & ~aged, day)
    places = places[: len(ready)]
    displaced = places[places < len(taken)]
    given_back = int(aged.sum()) + int((taken & ~aged)[displaced].sum())
    entered = waiting.chosen(ready)
    further = _with(vocabulary, aged, places, entered.values)
    last = np.concatenate([last, np.zeros(further.size - len(last), np.int32)])
    last[places] = entered.last
    left = np.ones(len(waiting), bool)
    left[ready] = False
    waiting = waiting.chosen(left)
    turnover = Turnover(len(ready), given_back, len(waiting) if rules.waits else 0)
    if a_day:
        return further, Seen(day, waiting if rules.waits else NOBODY, last), turnover
    # what the table held is not remembered, as the day that it belongs to is still to come
    before = seen.waiting
    if len(before) and len(entered):
        before = before.chosen(~pc.is_in(before.values, value_set=entered.values).to_numpy(zero_copy_only=False))
    kept = np.concatenate([seen.last, np.zeros(further.size - len(seen.last), np.int32)])
    kept[places] = seen.day
    return further, Seen(seen.day, before, kept), turnover


def changed_rows(before: Vocabulary, after: Vocabulary) -> np.ndarray:
    """Return the rows of a vocabulary that have another value after it was turned over, or none any more."""
    if not before.size or pa.types.is_null(before.type):
        return np.zeros(0, np.int64)
    old, new = before.values, after.values[: before.size]
    same = pc.equal(old, new).fill_null(False).to_numpy(zero_copy_only=False)
    return np.flatnonzero(~same & ~(null_mask(old) & null_mask(new))) + RESERVED_ROWS


def _places(taken: np.ndarray, last: np.ndarray, day: int, wanted: int, most: int | None) -> np.ndarray:
    """Return the places for new values, in the order in which they are given away: free ones, new ones, old values'."""
    free = np.flatnonzero(~taken)[:wanted]
    room = wanted - len(free) if most is None else max(0, min(wanted - len(free), most - len(taken)))
    places = np.concatenate([free, np.arange(len(taken), len(taken) + room)])
    if most is None or len(places) == wanted:
        return places
    # the least recently seen first; of several the one that stands last, which was the least frequent
    old = np.flatnonzero(taken & (last < day))
    old = old[np.lexsort((-old, last[old]))]
    return np.concatenate([places, old[: wanted - len(places)]])


def _in_time(
    ready: np.ndarray, seen: np.ndarray, places: np.ndarray, size: int, taken: np.ndarray, day: int
) -> np.ndarray:
    """Return the values that get a place, in the order of the places; only values of this day displace others."""
    empty = int(((places >= size) | ~np.append(taken, False)[np.minimum(places, size)]).sum())
    rest = ready[empty:]
    return np.concatenate([ready[:empty], rest[seen[rest] == day]])[: len(places)]


def _with(vocabulary: Vocabulary, freed: np.ndarray, places: np.ndarray, values: pa.Array) -> Vocabulary:
    """Return a vocabulary with some rows freed, and with values at some places."""
    if not len(places) and not freed.any():
        return vocabulary
    old = vocabulary.values if not pa.types.is_null(vocabulary.type) else vocabulary.values.cast(values.type)
    size = max(len(old), int(places.max(initial=-1)) + 1)
    index, absent = np.arange(size), np.zeros(size, bool)
    absent[: len(freed)] = freed
    index[places] = len(old) + np.arange(len(places))
    absent[places] = False
    together = pa.concat_arrays([old, values.cast(old.type)])
    return replace(vocabulary, values=together.take(pa.array(index, mask=absent)), _row_of={}, _index=[])
