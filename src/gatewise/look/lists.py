"""Lists that are written as text, such as ``a|b|c``."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

SEPARATORS = ("|", ";", ", ", ",", " ")
"""In the order in which they are tried."""
SHARE = 0.2
"""Least share of the distinct texts that hold a separator."""
LONGEST_ITEM = 32
"""Most letters of an item, on average; sentences have longer parts."""
REUSE, REUSE_OF_BARS = 2.0, 1.2
"""In how many distinct lists an item stands on average, at least; bars and semicolons seldom separate anything else."""
BRACKETS = r"^\s*\[.*\]\s*$"


def is_bracketed(texts: pa.Array) -> bool:
    """Whether texts are lists as Python or JSON write them, ``['a', 'b']``, which no separator splits."""
    known = texts.drop_null()
    return len(known) > 0 and bool(pc.all(pc.match_substring_regex(known, BRACKETS)).as_py())


def separator_of(texts: pa.Array) -> str:
    """Return the separator of texts that are lists; empty where they are not.

    Args:
        texts: distinct texts.
    """
    known = texts.filter(pc.greater(pc.binary_length(texts), 0))
    if len(known) < 3 or is_bracketed(known):
        return ""
    return next((separator for separator in SEPARATORS if _splits(known, separator)), "")


def items_of(texts: pa.Array, separator: str) -> pa.Array:
    """Return the items of all texts, one after the other."""
    return pc.split_pattern(texts.drop_null(), separator).flatten()


def _splits(texts: pa.Array, separator: str) -> bool:
    holds = pc.match_substring(texts, separator).to_numpy(zero_copy_only=False)
    if holds.mean() < SHARE:
        return False
    items = items_of(texts, separator)
    lengths = pc.binary_length(items).to_numpy(zero_copy_only=False)
    if lengths.mean() > LONGEST_ITEM or (separator != " " and (lengths == 0).mean() > 0.1):
        return False
    distinct = pc.unique(items)
    reused = len(items) / max(len(distinct), 1)
    if separator != " ":
        # a name with a comma, as in "Smith, John", has other parts in every row
        return reused >= (REUSE_OF_BARS if separator in "|;" else REUSE)
    # words of a language stand between spaces, too: only codes are items
    codes = pc.match_substring_regex(items, r"^[\w.:-]*\d[\w.:-]*$").to_numpy(zero_copy_only=False)
    return bool(codes.mean() > 0.9) and reused >= REUSE
