"""Warnings about lists that were written as text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.plain_types import is_string

LOOKED_AT = 1000
"""Number of texts that are examined."""
BRACKETS = {"[": "]", "(": ")", "{": "}"}
SEPARATORS = (",", ";", "|", "\t", " ", "/", ":")
REMEDY = "write tables with lists to Parquet, or join their items"


def remark_on_texts(separator: str, column: pa.Array) -> str | None:
    """Return a warning if strings seem not to fit the declared separator; None otherwise.

    Strings do not fit if they look like lists that a program wrote, such as ``['a', 'b']``, or if they hold another
    separator and never the declared one.
    """
    dictionary = pa.types.is_dictionary(column.type)
    texts = column.dictionary if dictionary else column
    if not is_string(texts.type):
        return None
    some = [text.strip() for text in texts.slice(0, LOOKED_AT).to_pylist() if text is not None and text.strip()]
    written = [text for text in some if BRACKETS.get(text[0]) == text[-1]]
    if len(written) > len(some) / 2:
        found = f"its lists were written as text, such as {_short(written[0])}, and are split at {separator!r} alone"
        return f"{found}; {REMEDY} by {separator!r}"
    if any(separator in text for text in some):
        return None
    other = next((mark for mark in SEPARATORS if sum(mark in text for text in some) > len(some) / 10), None)
    if other is None or pc.any(pc.match_substring(texts, separator)).as_py():
        return None
    example = next(text for text in some if other in text)
    return f"its separator {separator!r} splits no row, such as {_short(example)}; is separator={other!r} meant?"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
