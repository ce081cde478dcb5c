"""Keys by which values are sorted and searched: the integers themselves, or hashes of the strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.hashing import mixed

BLOCK = 1 << 16
"""Strings whose bytes and hashes stay in the processor's cache."""
WORD = 8
KEPT = np.array([(1 << 8 * count) - 1 for count in range(WORD)], dtype=np.uint64)
"""What is kept of a word by which a string ends, by the number of the string's bytes in it."""


def search_keys(values: pa.Array) -> np.ndarray:
    """Return the int64 values, or a uint64 hash of every large_string value; the array has no nulls.

    Hashes are for one process: files keep none. Eight bytes at a time are hashed, not one as in
    :func:`gatewise.data.hashing.hash_values`.
    """
    if pa.types.is_integer(values.type):
        keys: np.ndarray = values.to_numpy()
        return keys
    _, offset_buffer, data = values.buffers()
    if not len(values) or offset_buffer is None:
        return np.empty(0, dtype=np.uint64)
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    text = np.empty(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return np.concatenate([_hashed(text, offsets[first : first + BLOCK + 1]) for first in range(0, len(values), BLOCK)])


def _hashed(text: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the hashes of the strings between ``offsets``."""
    starts, sizes = offsets[:-1] - offsets[0], np.diff(offsets)
    # a word that begins with the last byte ends behind the text
    padded = np.append(text[offsets[0] : offsets[-1]], np.zeros(WORD, np.uint8))
    words = np.ndarray((len(padded) - WORD + 1,), "<u8", padded.data, strides=(1,))
    hashes = mixed(sizes.astype(np.uint64))
    longer = np.flatnonzero(sizes >= WORD)
    place = 0
    while len(longer):
        hashes[longer] = mixed(hashes[longer] ^ words[starts[longer] + place])
        place += WORD
        longer = longer[sizes[longer] >= place + WORD]
    rest = sizes % WORD
    return mixed(hashes ^ (words[starts + sizes - rest] & KEPT[rest]))
