"""Vocabularies, from values to rows of an embedding table: learnt, hashed, or numbered ids."""

from __future__ import annotations

from typing import Any

from gatewise.data.vocabularies.counts import ValueCounts
from gatewise.data.vocabularies.hashed import HashedVocabulary
from gatewise.data.vocabularies.learnt import Vocabulary
from gatewise.data.vocabularies.numbered import NumberedVocabulary
from gatewise.data.vocabularies.turnover import Rules, Seen, Turnover, begun, changed_rows, turned_over
from gatewise.data.vocabularies.vocabulary import LEARNT_FROM, AnyVocabulary, RowsOfValues, Values, check_type

__all__ = [
    "LEARNT_FROM",
    "AnyVocabulary",
    "HashedVocabulary",
    "NumberedVocabulary",
    "RowsOfValues",
    "Rules",
    "Seen",
    "Turnover",
    "ValueCounts",
    "Values",
    "Vocabulary",
    "begun",
    "changed_rows",
    "check_type",
    "turned_over",
    "vocabulary_from_state",
]


def vocabulary_from_state(state: dict[str, Any]) -> AnyVocabulary:
    """Return a vocabulary from its saved state."""
    return HashedVocabulary.from_state(state) if "buckets" in state else Vocabulary.from_state(state)
