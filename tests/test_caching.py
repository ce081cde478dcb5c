"""A cache keeps the encoder, with its learnt values in an Arrow file, and learns anew where the file is damaged."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gatewise as gw
from gatewise import caching
from gatewise.caching import ENCODER, Cacher
from gatewise.data import VOCABULARIES, TableEncoder, TableLearner, Turns
from gatewise.errors import TableError

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


def test_what_killed_processes_learnt_is_deleted(tmp_path: Path) -> None:
    cacher = Cacher(SCHEMA, gw.Training(cache=str(tmp_path), memory=1))
    cacher.learnt(TABLE)
    (folder,) = tmp_path.iterdir()
    (folder / ENCODER).unlink()
    (folder / "absorbed-00001.arrow").touch()
    cacher.learnt(TABLE)
    assert not list(folder.glob("absorbed-*"))


def learnt_by(size: int, schema: gw.Schema, table: dict, folder: Path) -> tuple[TableEncoder, dict[int, int]]:
    """Return what threads in the place of processes learn, in pieces of two rows, and how many rows each took in."""
    together, absorbed = threading.Barrier(size, timeout=20), dict[int, int]()
    take_in = TableLearner.absorb

    def absorb(self, piece):
        absorbed[threading.get_ident()] = absorbed.get(threading.get_ident(), 0) + piece.num_rows
        return take_in(self, piece)

    def learn(rank: int):
        turns = Turns(rank, size, lambda: together.wait() and None)
        try:
            return Cacher(schema, gw.Training()).learn(table, None, folder, turns), threading.get_ident()
        except TableError:
            together.abort()
            raise

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(size) as pool:
        patch.setattr(caching, "PIECE_ROWS", 2)
        patch.setattr(TableLearner, "absorb", absorb)
        (found, first), *others = pool.map(learn, range(size))
    assert not list(folder.glob("absorbed-*"))
    assert found is not None
    assert all(nothing is None for nothing, _ in others)
    assert found[1] == len(table["user"])
    return found[0], {rank: absorbed.get(ident, 0) for rank, ident in enumerate([first, *(one for _, one in others)])}


@pytest.mark.parametrize(("size", "shares"), [(1, [6]), (2, [4, 2]), (3, [2, 2, 2]), (4, [2, 2, 2, 0])])
def test_processes_learn_a_part_each(size: int, shares: list[int], tmp_path: Path) -> None:
    wanted, _ = TableEncoder.fit(SCHEMA, TABLE)
    found, absorbed = learnt_by(size, SCHEMA, TABLE, tmp_path)
    assert found.saved() == wanted.saved()
    assert sorted(absorbed.values()) == sorted(shares)


def test_what_one_pass_reads_and_parts_do_not_is_learnt_in_one_pass(tmp_path: Path) -> None:
    schema = gw.Schema([gw.Categorical("user"), gw.Sequence("seen", shares="user")], [gw.Binary("click")])
    # lists are read in the type of the users, of which the last part has none
    table = {"user": [1, 2, 1, 2, None, None], "seen": ["1|2"] * 6, "click": [0, 1] * 3}
    wanted, _ = TableEncoder.fit(schema, table)
    found, absorbed = learnt_by(2, schema, table, tmp_path)
    assert found.saved() == wanted.saved()
    assert absorbed == {0: 4 + 6, 1: 2}


def test_a_mistake_in_a_later_part_is_said_as_one_pass_says_it(tmp_path: Path) -> None:
    schema = gw.Schema([gw.Categorical("user"), gw.Numeric("x")], [gw.Binary("click")])
    table = {"user": [1, 2, 1, 2, 3, 3], "x": [0.0] * 5 + [float("inf")], "click": [0, 1] * 3}
    with pytest.raises(TableError, match=r"feature 'x': .* in row 1, .* \(counted from row 4 on\)"):
        learnt_by(2, schema, table, tmp_path)
