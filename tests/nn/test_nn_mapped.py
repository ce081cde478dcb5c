"""Large tensors in files: equal to those in memory, and nothing is left of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from gatewise.layout import EmbeddingField
from gatewise.nn import ShardedTables, mapped
from gatewise.processes import Alone


def mapped_from(path: Path) -> list[str]:
    """Return the mappings of this process of files in a folder, also of files that are removed."""
    return [line for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if str(path) in line]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="says what is mapped on Linux alone")
def test_large_tables_are_gathered_in_files(tmp_path, monkeypatch):
    fields = [EmbeddingField("user", 70_000, 2), EmbeddingField("item", 9, 2), EmbeddingField("tag", 9, 3)]
    torch.manual_seed(0)
    tables = ShardedTables(fields, Alone())
    wanted = tables.gathered()
    monkeypatch.setattr(mapped, "LARGE", 1000)
    found = tables.gathered(tmp_path)
    assert len(mapped_from(tmp_path)) == 1
    assert not list(tmp_path.iterdir())
    torch.testing.assert_close(dict(found.state_dict()), dict(wanted.state_dict()), atol=0, rtol=0)
    del found
    assert not mapped_from(tmp_path)


def test_without_room_in_the_folder_a_tensor_stands_in_memory(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(mapped, "LARGE", 0)
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    assert mapped.empty_on_disk((3, 2), torch.float32, tmp_path).fill_(1.0).sum() == 6
    assert not list(tmp_path.iterdir())
    assert mapped.empty_on_disk((0, 2), torch.float32, tmp_path).shape == (0, 2)
