from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.hashing import hash_values

WORDS = ["", "a", "b", "ab", "user 17", "日本語", "naïve", "a" * 100]
NUMBERS = [0, 1, -1, 2**63 - 1, -(2**63), 16_777_216, 16_777_217]


def fnv_then_mixed(text):
    code = 0xCBF29CE484222325
    for byte in text.encode():
        code = (code ^ byte) * 0x100000001B3 % 2**64
    return mixed(code)


def mixed(code):
    code = (code + 0x9E3779B97F4A7C15) % 2**64
    code = (code ^ (code >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    code = (code ^ (code >> 27)) * 0x94D049BB133111EB % 2**64
    return code ^ (code >> 31)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=12), st.integers(0, 3))
def test_strings_are_hashed_one_by_one_whatever_stands_beside_them(words, skip):
    found = hash_values(pa.array(words, pa.large_string()).slice(skip))
    assert found.tolist() == [fnv_then_mixed(word) for word in words[skip:]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12), st.integers(0, 3))
def test_integers_are_mixed(numbers, skip):
    found = hash_values(pa.array(numbers, pa.int64()).slice(skip))
    assert found.tolist() == [mixed(number % 2**64) for number in numbers[skip:]]


def test_another_process_hashes_the_same():
    code = (
        "import pyarrow as pa; from gatewise.data.hashing import hash_values as h;"
        f"print(h(pa.array({WORDS!r})).tolist() + h(pa.array({NUMBERS!r})).tolist())"
    )
    env = {"PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    here = hash_values(pa.array(WORDS)).tolist() + hash_values(pa.array(NUMBERS)).tolist()
    assert run.stdout.strip() == str(here)
    assert len(set(here)) == len(here)


@pytest.mark.parametrize("buckets", [2, 10, 64, 1000])
@pytest.mark.parametrize(
    "values",
    [
        pa.array(np.arange(50_000)),
        pa.array(np.arange(50_000) * 1024),
        pa.array([f"user {i}" for i in range(50_000)]),
        pa.array([f"日本 {i * 7}" for i in range(50_000)]),
    ],
    ids=["ints", "multiples", "strings", "unicode"],
)
def test_buckets_fill_evenly(values, buckets):
    filled = np.bincount((hash_values(values) % np.uint64(buckets)).astype(np.int64), minlength=buckets)
    # chi-squared has mean and half its variance of one less than there are buckets
    chi = ((filled - 50_000 / buckets) ** 2 / (50_000 / buckets)).sum()
    assert abs(chi - (buckets - 1)) < 5 * np.sqrt(2 * (buckets - 1))
