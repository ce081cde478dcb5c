"""Vocabularies over time: who is admitted, who leaves, and what is remembered."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.vocabularies import Rules, Seen, Vocabulary, begun, changed_rows, remembered_days, turned_over
from gatewise.errors import ArtefactError
from gatewise.layout import OUT_OF_VOCABULARY

RULES = st.builds(
    Rules, st.integers(1, 3), st.one_of(st.none(), st.integers(1, 3)), st.one_of(st.none(), st.integers(1, 4))
)
DAYS = st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=2, max_size=7)


class Simple:
    """The same rules on Python's dicts and lists, a value at a time."""

    def __init__(self, first: list[int], rules: Rules) -> None:
        self.rules, self.day = rules, 0
        ready = sorted((-count, value) for value, count in Counter(first).items() if count >= rules.min_count)
        self.rows: list[int | None] = [value for _, value in ready][: rules.max_rows]
        self.last = dict.fromkeys(self.rows, 0)
        self.waiting = {value: [count, 0] for value, count in Counter(first).items() if value not in self.rows}

    def learn(self, today: list[int]) -> None:
        self.day += 1
        for value, count in Counter(today).items():
            if value in self.rows:
                self.last[value] = self.day
            else:
                before = self.waiting.setdefault(value, [0, self.day])
                before[:] = [before[0] + count, self.day]
        if self.rules.keep_days:
            limit = self.day - self.rules.keep_days
            self.rows = [None if value is None or self.last[value] <= limit else value for value in self.rows]
            self.waiting = {value: found for value, found in self.waiting.items() if found[1] > limit}
        ready = sorted((-found[0], value) for value, found in self.waiting.items() if found[0] >= self.rules.min_count)
        for _, value in ready:
            place = self.place(seen_today=self.waiting[value][1] == self.day)
            if place is not None:
                self.rows[place : place + 1] = [value]
                self.last[value] = self.waiting.pop(value)[1]

    def place(self, *, seen_today: bool) -> int | None:
        if None in self.rows:
            return self.rows.index(None)
        if self.rules.max_rows is None or len(self.rows) < self.rules.max_rows:
            return len(self.rows)
        old = [(self.last[value], -k) for k, value in enumerate(self.rows) if self.last[value] < self.day]
        return -min(old)[1] if old and seen_today else None


@settings(deadline=None, max_examples=300)
@given(DAYS, RULES, st.booleans())
def test_days_do_what_a_loop_over_values_does(days: list[list[int]], rules: Rules, as_text: bool) -> None:
    def arrow(values: list[int]) -> pa.Array:
        return pa.array([str(v) for v in values], pa.large_string()) if as_text else pa.array(values, pa.int64())

    simple = Simple(days[0], rules)
    vocabulary, seen = begun(arrow(days[0]), np.ones(len(days[0]), np.int64), rules)
    seen = seen or Seen.fresh(vocabulary)
    for today in days[1:]:
        simple.learn(today)
        before = vocabulary
        vocabulary, seen, turnover = turned_over(
            vocabulary, seen, arrow(today), np.ones(len(today), np.int64), rules, a_day=True
        )
        found = vocabulary.values.to_pylist()
        assert found == [str(value) if as_text and value is not None else value for value in simple.rows]
        assert turnover.waiting == (len(simple.waiting) if rules.waits else 0)
        assert len(known(vocabulary)) == len(known(before)) + turnover.admitted - turnover.given_back
        rows = changed_rows(before, vocabulary) - 2
        unlike = [k for k, value in enumerate(before.values.to_pylist()) if value != found[k]]
        assert rows.tolist() == unlike
        if rules.remembers and vocabulary.size:
            kept = remembered_days.read(remembered_days.written({"v": seen}), {"v": vocabulary})["v"]
            assert (kept.day, kept.last.tolist()) == (seen.day, seen.last.tolist())
            assert kept.waiting.values.to_pylist() == seen.waiting.values.to_pylist()
            assert kept.waiting.counts.tolist() == seen.waiting.counts.tolist()


def known(vocabulary: Vocabulary) -> list[object]:
    return vocabulary.known.to_pylist()


def test_a_free_row_is_nobodys_however_values_are_looked_up() -> None:
    some = pa.array([f"user {k}" for k in range(9000)], pa.large_string())
    whole = Vocabulary(some)
    mask = np.arange(9000) % 3 == 1
    holes = Vocabulary(pa.array(some.to_pylist(), pa.large_string(), mask=mask))
    assert (holes.size, holes.free) == (9000, 3000)
    for asked in (some.slice(0, 5000), some.slice(0, 3), some):
        expected = np.where(mask[: len(asked)], OUT_OF_VOCABULARY, whole.lookup(asked))
        assert (holes.lookup(asked) == expected).all()
        assert [*holes.value_rows()(asked.to_pylist())] == expected.tolist()
    assert holes.examples(2) == ["user 0", "user 2"]
    assert None not in holes.draw(50, np.random.default_rng(0))
    assert Vocabulary.from_state(holes.state()) == holes
    assert not holes.holds("user 1")
    nobody = Vocabulary(pa.nulls(3, pa.int64()))
    assert nobody.lookup(pa.array([1, 2, 3, 4])).tolist() == [OUT_OF_VOCABULARY] * 4


def test_what_does_not_belong_to_a_vocabulary_is_refused() -> None:
    vocabulary, seen = begun(pa.array([1, 1, 2]), np.ones(3, np.int64), Rules(2, 3))
    content = remembered_days.written({"user": seen})
    assert remembered_days.read(content, {"user": vocabulary})["user"].waiting.counts.tolist() == [1]
    for wrong, known, said in (
        (content[:50], {"user": vocabulary}, "seen.arrow cannot be read"),
        (content, {}, "'user' is not a vocabulary"),
        (content, {"user": Vocabulary(pa.array([1, 3]))}, "'user' does not belong to its vocabulary"),
        (content, {"user": Vocabulary(pa.array([2]))}, "'user' does not belong to its vocabulary"),
        (content, {"user": Vocabulary(pa.array(["a"], pa.large_string()))}, "does not belong"),
    ):
        with pytest.raises(ArtefactError, match=said):
            remembered_days.read(wrong, known)
