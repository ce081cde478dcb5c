"""A cache holds every row once, in an order that follows from its plan, whatever interrupts its writing."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import Plan, TableEncoder, Turns, cache_of, caches, open_cache, regrouped, remove_cache, write_cache
from gatewise.data.cache.records import from_batches, to_batch
from gatewise.data.encoded import EncodedTable
from gatewise.data.ragged import RaggedIds, RaggedNumbers
from gatewise.errors import ArtefactError, TableError

ROWS = 530
SCHEMA = gw.Schema(
    features=[
        gw.Numeric("row", transform="none"),
        gw.Categorical("id"),
        gw.Sequence("tags", dim=2),
        gw.Events("past", ids=[gw.EventId("act", dim=2)], numbers=[gw.EventNumber("dwell")]),
    ],
    tasks=[gw.Binary("click", weight_column="weight"), gw.Regression("price")],
    group="user",
)
PLAN = Plan({"source": "x"}, ROWS, label_columns=["click", None], source="rows", block_rows=16, part_rows=100)


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    ends = np.concatenate([[0], np.cumsum(rng.integers(0, 3, ROWS))])
    return pa.table(
        {
            "row": np.arange(float(ROWS)),
            "id": rng.integers(0, 40, ROWS),
            "tags": rng.choice(["a|b", "", "c"], ROWS),
            "act": pa.ListArray.from_arrays(ends, rng.integers(0, 9, ends[-1])),
            "dwell": pa.ListArray.from_arrays(ends, rng.lognormal(1, 1, ends[-1])),
            "click": rng.integers(0, 2, ROWS),
            "weight": rng.random(ROWS) + 0.5,
            "price": pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.1),
            "user": pa.array(rng.integers(0, 30, ROWS), mask=rng.random(ROWS) < 0.1),
        }
    )


TABLE = table()
ENCODER, WHOLE = TableEncoder.fit(SCHEMA, TABLE)


def written(folder: Path, plan: Plan = PLAN, rows: pa.Table = TABLE, **more):
    pieces = regrouped([rows], 60)
    write_cache(folder, plan, pieces, lambda piece: ENCODER.encode_piece(piece, weights=True), **more)
    return open_cache(folder)


def numbers(rows: EncodedTable) -> list[int]:
    """Return the numbers of the rows in the table, which are a feature."""
    column = ENCODER.layout.floats.index("row")
    return rows.floats[:, column].astype(int).tolist()


def assert_rows_are(found: EncodedTable, wanted: EncodedTable) -> None:
    for name in ("ids", "floats", "labels", "weights"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    for one, other in zip((*found.lists, *found.number_lists), (*wanted.lists, *wanted.number_lists), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.offsets, other.offsets)


def test_every_row_stands_there_once_with_all_that_belongs_to_it(tmp_path):
    cached = written(tmp_path)
    found = cached.load(range(len(cached.block_rows)))
    order = numbers(found)
    assert sorted(order) == list(range(ROWS))
    assert_rows_are(found, WHOLE.taken(np.array(order)))
    assert len(cached) == ROWS == sum(cached.block_rows)
    assert max(cached.block_rows) <= 16
    assert not list(tmp_path.glob("spool*"))


def test_several_processes_write_the_bytes_of_one(tmp_path):
    """Threads in their place, each of which encodes and gathers its share."""
    size, encoded = 3, dict[int, int]()
    together = threading.Barrier(size)

    def write(rank: int) -> None:
        def encode(piece: pa.Table) -> EncodedTable:
            encoded[rank] = encoded.get(rank, 0) + 1
            return ENCODER.encode_piece(piece, weights=True)

        turns = Turns(rank, size, lambda: together.wait() and None)
        write_cache(tmp_path / "several", PLAN, regrouped([TABLE], 60), encode, turns=turns)

    (tmp_path / "several").mkdir()
    with ThreadPoolExecutor(size) as pool:
        list(pool.map(write, range(size)))
    written(tmp_path / "one")
    one, several = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "several")
    )
    assert several == one
    assert encoded == {0: 3, 1: 3, 2: 3}


def test_the_dealt_order_mixes_all_parts_of_the_table(tmp_path):
    order = np.array(numbers(written(tmp_path).load([0, 1, 2])))
    # blocks of a table sorted by anything hold rows of all of it: the mean of 48 of 530 is within five deviations
    assert abs(order.mean() - ROWS / 2) < 5 * ROWS / np.sqrt(12 * len(order))
    assert (np.diff(order) > 0).mean() < 0.7


def test_in_the_order_of_time_rows_stay_as_they_are(tmp_path):
    cached = written(tmp_path, replace(PLAN, order="time"))
    assert numbers(cached.load(range(len(cached.block_rows)))) == list(range(ROWS))


def test_groups_are_not_cut(tmp_path):
    cached = written(tmp_path, replace(PLAN, whole_groups=True))
    blocks = [cached.load([block]).groups for block in range(len(cached.block_rows))]
    places = {}
    for number, groups in enumerate(blocks):
        for group in set(groups[groups >= 0].tolist()):
            assert places.setdefault(group, number) == number
    assert len(places) == 30
    order = numbers(cached.load(range(len(blocks))))
    assert sorted(order) == list(range(ROWS))


def test_an_interrupted_writing_goes_on_and_gives_the_same_bytes(tmp_path):
    wanted = written(tmp_path / "whole").manifest
    for at in range(1, 9):
        folder, left = tmp_path / str(at), [at]

        def stop(_, left=left):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            written(folder, count=stop)
        with pytest.raises(ArtefactError, match="no manifest"):
            open_cache(folder)
        assert written(folder).manifest == wanted


def test_a_part_that_is_there_is_not_made_again(tmp_path):
    wanted = written(tmp_path / "a").manifest
    folder = tmp_path / "b"
    written(folder)
    (folder / "manifest.json").unlink()
    (folder / wanted.parts[2].file).unlink()
    before = (folder / wanted.parts[1].file).stat().st_mtime_ns
    assert written(folder).manifest == wanted
    assert (folder / wanted.parts[1].file).stat().st_mtime_ns == before


def test_the_manifest_counts_labels(tmp_path):
    cached = written(tmp_path)
    ones, known = cached.shares()["click"]
    assert sum(ones) == int(TABLE["click"].to_numpy().sum())
    assert sum(known) == ROWS
    assert list(cached.shares()) == ["click"]
    labels = cached.load([3]).labels
    assert ones[3] == int((labels[:, 0] == 1).sum())


def test_another_number_of_rows_than_planned_is_an_error(tmp_path):
    with pytest.raises(TableError, match=r"rows: had 531 rows, and 530 when read again"):
        written(tmp_path, replace(PLAN, rows=ROWS + 1))


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "manifest", "format"])
def test_a_damaged_cache_is_one_line_that_names_the_file(tmp_path, damage):
    cached = written(tmp_path)
    part = tmp_path / cached.manifest.parts[1].file
    manifest = tmp_path / "manifest.json"
    match damage:
        case "flip":
            data = bytearray(part.read_bytes())
            data[len(data) // 2] ^= 1
            part.write_bytes(data)
        case "cut":
            part.write_bytes(part.read_bytes()[:-9])
        case "gone":
            part.unlink()
        case "manifest":
            manifest.write_text(manifest.read_text()[:-20])
        case _:
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 9}))
    with pytest.raises(ArtefactError, match=r"part-00001|manifest is damaged|expected format 1, found 9") as error:
        open_cache(tmp_path)
    assert "\n" not in str(error.value)


def test_batches_come_back_as_they_were():
    empty = EncodedTable(
        np.zeros((3, 0), np.int32),
        (RaggedIds(np.array([4, 5], np.int32), np.array([0, 2, 2, 2])),),
        np.zeros((3, 0), np.float32),
        np.array([[1.0], [np.nan], [0.0]]),
        number_lists=(RaggedNumbers(np.array([1.5, np.nan], np.float32), np.array([0, 2, 2, 2])),),
    )
    found = from_batches([to_batch(empty), to_batch(empty)])
    assert (found.ids.shape, found.floats.shape) == ((6, 0), (6, 0))
    assert found.lists[0].offsets.tolist() == [0, 2, 2, 2, 4, 4, 4]
    np.testing.assert_array_equal(found.labels[:, 0], [1, np.nan, 0] * 2)
    assert (found.weights, found.groups) == (None, None)
    found.labels[0] = 7


def test_caches_are_listed_and_removed(tmp_path):
    key = {"source": "x", "schema": "y"}
    folder = cache_of(key, tmp_path)
    assert folder == cache_of(dict(reversed(key.items())), tmp_path) != cache_of({**key, "schema": "z"}, tmp_path)
    written(folder)
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other" / "manifest.json").unlink()
    found = {cache.folder.name: cache for cache in caches(tmp_path)}
    assert (found[folder.name].rows, found[folder.name].source, found["other"].rows) == (ROWS, "rows", None)
    with pytest.raises(ArtefactError, match=r"no cache of this name; did you mean 'other'\?"):
        remove_cache("othre", tmp_path)
    assert remove_cache(folder.name[:6], tmp_path) > 1000
    assert [cache.folder.name for cache in caches(tmp_path)] == ["other"]
    assert caches(tmp_path / "none") == []
