"""A cache keeps the encoder, with its learnt values in an Arrow file, and learns anew where the file is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gatewise as gw
from gatewise.caching import ENCODER, Cacher
from gatewise.data import VOCABULARIES, TableLearner

SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
TABLE = {"user": ["a", "b", "a", None, "c", "a"], "click": [0, 1, 0, 1, 0, 1]}


@pytest.mark.parametrize("damage", [None, b"", b"other", "gone", "json"])
def test_an_encoder_is_kept_or_learnt_anew(tmp_path: Path, damage, monkeypatch: pytest.MonkeyPatch) -> None:
    cacher = Cacher(SCHEMA, gw.Training(cache=str(tmp_path), memory=1))
    before, rows = cacher.learnt(TABLE)
    (path,) = tmp_path.glob(f"*/{VOCABULARIES}")
    assert json.loads((path.parent / ENCODER).read_text())["encoder"]["vocabularies"]["user"]["learnt"]["count"] == 3
    if damage == "gone":
        path.unlink()
    elif damage == "json":
        (path.parent / ENCODER).write_text("[]")
    elif damage is not None:
        path.write_bytes(damage)
    learnt = list[int]()
    learn = TableLearner.learn
    monkeypatch.setattr(TableLearner, "learn", lambda self: learnt.append(self.rows) or learn(self))
    again, kept = cacher.learnt(TABLE)
    assert again.state() == before.state()
    assert len(kept) == len(rows) == len(TABLE["user"])
    assert learnt == ([] if damage is None else [6])
    # rows that are encoded by a known encoder have a cache of their own, found again
    first, second = (cacher.encoded(again, TABLE) for _ in range(2))
    assert len(first) == len(second) == 6
    assert len([*tmp_path.iterdir()]) == 2


def test_nothing_of_a_damaged_cache_is_used(tmp_path: Path) -> None:
    cacher = Cacher(SCHEMA, gw.Training(cache=str(tmp_path), memory=1))
    _, rows = cacher.learnt(TABLE)
    wanted = rows.load([0])
    (part,) = tmp_path.glob("*/part-*")
    content = part.read_bytes()
    place = content.rindex(wanted.ids.tobytes())
    part.write_bytes(content[:place] + bytes(len(wanted.ids.tobytes())) + content[place + wanted.ids.nbytes :])
    _, again = cacher.learnt(TABLE)
    assert part.read_bytes() == content
    assert again.load([0]).ids.tolist() == wanted.ids.tolist()
