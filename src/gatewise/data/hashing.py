"""Hashing of values into buckets: equal on every machine and in every process, and vectorised."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)


def hash_values(values: pa.Array) -> np.ndarray:
    """Return a uint64 hash of every int64 or large_string value; the array has no nulls."""
    if pa.types.is_integer(values.type):
        return mixed(values.to_numpy(zero_copy_only=False).view(np.uint64))
    return mixed(_hash_strings(values.cast(pa.large_string())))


def _hash_strings(values: pa.Array) -> np.ndarray:
    """Return FNV-1a hashes of the strings' UTF-8 bytes, all strings at once, byte position by byte position."""
    if len(values) == 0:
        return np.empty(0, dtype=np.uint64)
    _, offset_buffer, data = values.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    text = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    lengths = np.diff(offsets)
    hashes = np.full(len(values), FNV_OFFSET, dtype=np.uint64)
    longest_first = np.argsort(-lengths, kind="stable")
    starts, sizes = offsets[:-1][longest_first], lengths[longest_first]
    ordered = hashes[longest_first]
    for position in range(int(sizes[0])):
        alive = np.searchsorted(-sizes, -position, side="left")
        ordered[:alive] = (ordered[:alive] ^ text[starts[:alive] + position]) * FNV_PRIME
    hashes[longest_first] = ordered
    return hashes


def mixed(bits: np.ndarray) -> np.ndarray:
    """Return the hashes with mixed bits (splitmix64's finaliser), so that any number of buckets fills evenly."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed
