"""The problem that a learnt vocabulary is very large, with what its table takes and what hashing would leave of it."""

from __future__ import annotations

from collections.abc import Collection

from gatewise.analysis.problems import Problem
from gatewise.declare import Training
from gatewise.layout import EmbeddingField

LARGE = 5_000_000
"""Fewest values of a vocabulary that is said to be large."""
VALUES_PER_BUCKET = 5
NUMBER_BYTES = 4
STATE_NUMBERS = {"adamw": 2, "adam": 2, "adagrad": 1, "rmsprop": 1, "sgd": 1}
"""Numbers that an optimiser keeps per weight."""


def large_vocabularies(tables: Collection[EmbeddingField], training: Training) -> list[Problem]:
    """Return the features with 5 million learnt values or more, as problems.

    Each value has a row of the embedding table, and each number of a row the optimiser's state beside it.

    Args:
        tables: the embedding tables of learnt vocabularies.
        training: names the optimiser.
    """
    return [_problem(table, training) for table in tables if table.rows - table.reserved >= LARGE]


def table_bytes(rows: int, dim: int, training: Training) -> int:
    """Return the bytes of an embedding table that is trained, with the optimiser's state.

    Example:
        >>> table_bytes(1_000, 16, Training(optimizer="adam"))
        192000
    """
    if training.embedding_update == "rowwise_adagrad":
        # one number per row
        return rows * (dim + 1) * NUMBER_BYTES
    return rows * dim * (1 + STATE_NUMBERS[training.optimizer]) * NUMBER_BYTES


def _problem(table: EmbeddingField, training: Training) -> Problem:
    values = table.rows - table.reserved
    buckets = _rounded(values // VALUES_PER_BUCKET)
    now, then = (gigabytes(table_bytes(rows, table.dim, training)) for rows in (table.rows, buckets))
    return Problem(
        "large vocabulary",
        None,
        (table.name,),
        f"feature {table.name!r} has {values:,} values: its embedding table takes {now} with the optimiser's state",
        f"hash_buckets={buckets:_} on it ({then}; about {values / buckets:.0f} values share a row, and new ones get "
        "one, too), or min_count, which leaves out rare values",
    )


def gigabytes(size: int) -> str:
    """Return bytes in words.

    Example:
        >>> gigabytes(1_920_000_000), gigabytes(38_400_000)
        ('1.9 GB', '38 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _rounded(number: int) -> int:
    """Return a number of one digit and zeros."""
    return int(float(f"{number:.1g}"))
