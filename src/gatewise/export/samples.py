"""Made-up rows that go everywhere: known, unseen and null values, lists of any length, numbers far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data import TableEncoder
from gatewise.data.encoders import NumericEncoder, SequenceEncoder, TextEncoder, VectorEncoder
from gatewise.data.encoders.by_feature import Encoder
from gatewise.data.vocabulary import AnyVocabulary, Vocabulary
from gatewise.declare import column_of

NULLS, UNSEEN = 0.1, 0.1
LONGEST = 12


def sample_rows(encoder: TableEncoder, rows: int = 256, seed: int = 0) -> pa.Table:
    """Return rows with every column that predicting needs.

    Args:
        encoder: what it learnt says which values there are.
        rows: how many.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {}
    # a column that several features read has values of the one that is most particular
    for feature in sorted(encoder.schema.features, key=lambda f: hasattr(encoder.encoders[f.name], "vocabulary")):
        columns[column_of(feature)] = _values(encoder.encoders[feature.name], rows, rng)
    for task in encoder.schema.tasks:
        # such as the length of a video, which is above 0
        columns |= {name: _with_nulls(rng.lognormal(2, 1, rows).tolist(), rng) for name in task.known_columns}
    return pa.table(columns)


def _values(encoder: Encoder, rows: int, rng: np.random.Generator) -> list[Any]:
    match encoder:
        case NumericEncoder():
            return _with_nulls(_numbers(encoder, rows, rng), rng)
        case VectorEncoder():
            return _with_nulls(rng.normal(size=(rows, encoder.feature.size)).tolist(), rng)
        case TextEncoder():
            return _with_nulls([" ".join(_words(rng)) for _ in range(rows)], rng)
        case SequenceEncoder():
            longest = encoder.feature.max_length or LONGEST
            lengths = rng.integers(0, longest + 3, rows)
            return _with_nulls([_with_nulls(_keys(encoder.vocabulary, n, rng), rng) for n in lengths], rng)
        case _:
            return _with_nulls(_keys(encoder.vocabulary, rows, rng), rng)


def _keys(vocabulary: AnyVocabulary, count: int, rng: np.random.Generator) -> list[Any]:
    """Return values of a vocabulary, frequent ones and rare ones, and some that it lacks."""
    texts = vocabulary.type is None or not pa.types.is_integer(vocabulary.type)
    learnt = vocabulary.values if isinstance(vocabulary, Vocabulary) else pa.array(range(1000))
    unseen = [f"unseen {i}" if texts else int(rng.integers(-(2**62), 2**62)) for i in range(count)]
    if not len(learnt):
        return unseen
    found = learnt.take(pa.array(rng.integers(0, len(learnt), count))).to_pylist()
    chosen = rng.random(count) < UNSEEN
    return [unseen[i] if chosen[i] else str(key) if texts else int(key) for i, key in enumerate(found)]


def _numbers(encoder: NumericEncoder, rows: int, rng: np.random.Generator) -> list[float]:
    """Return numbers about the training values' mean, at their knots and beyond all of them."""
    about = encoder.mean + encoder.std * 2 * rng.standard_normal(rows)
    knots = encoder.knots if len(encoder.knots) else np.array([encoder.mean])
    far = np.array([0.0, *(encoder.mean + 30 * np.array([-1, 1]) * encoder.std), knots[0] - 1, knots[-1] + 1])
    between = rng.uniform(knots[0], knots[-1], rows)
    choices = np.stack([about, rng.choice(knots, rows), between, rng.choice(far, rows)])
    found: list[float] = choices[rng.choice(4, rows, p=[0.4, 0.2, 0.3, 0.1]), np.arange(rows)].tolist()
    return found


def _words(rng: np.random.Generator) -> list[str]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return ["".join(rng.choice(letters, rng.integers(1, 8))) for _ in range(rng.integers(0, 20))]


def _with_nulls(values: list[Any], rng: np.random.Generator) -> list[Any]:
    return [None if null else value for value, null in zip(values, rng.random(len(values)) < NULLS, strict=True)]
