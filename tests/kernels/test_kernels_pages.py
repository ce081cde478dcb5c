from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from gatewise.kernels import on_huge_pages
from gatewise.kernels.pages import HUGE_PAGE
from gatewise.layout import EmbeddingField
from gatewise.nn import EmbeddingTables

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def advised(address: int) -> bool:
    """Whether the mapping that holds an address is marked for huge pages, as the kernel tells it."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(found[1], 16) <= address < int(found[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return "hg" in line.split()
    raise AssertionError("no mapping holds the address")


def test_tensors_keep_what_is_in_them() -> None:
    for size in (0, 1, 1000, HUGE_PAGE):
        tensor = torch.arange(size, dtype=torch.float32)
        assert on_huge_pages(tensor) is tensor
        assert torch.equal(tensor, torch.arange(size, dtype=torch.float32))


@pytest.mark.skipif(not sys.platform.startswith("linux") or not SETTING.exists(), reason="needs Linux's huge pages")
def test_a_large_table_is_advised_and_a_small_one_is_not() -> None:
    large = EmbeddingTables([EmbeddingField("large", 40 * HUGE_PAGE // 64, 16)]).weight_of_dim(16)
    small = EmbeddingTables([EmbeddingField("small", 1000, 16)]).weight_of_dim(16)
    assert advised(large.data_ptr() + 20 * HUGE_PAGE)
    assert not advised(small.data_ptr())
