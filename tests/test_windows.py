"""Rows on disk are trained on like rows in memory: every row once per epoch, from any batch on, in any cut."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import gatewise as gw
from gatewise.assembly import WindowedRows
from gatewise.data import CachedRows, Plan, TableEncoder, open_cache, regrouped, write_cache
from gatewise.nn import TensorTable

SCHEMA = gw.Schema(
    features=[gw.Numeric("row", transform="none"), gw.Sequence("tags", dim=2)],
    tasks=[gw.Binary("click")],
    group="user",
)


class Share:
    """One of several processes, as far as rows go."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def cached(folder: Path, rows: int, *, block: int, part: int, piece: int = 7, order: str = "random", groups=False):
    rng = np.random.default_rng(rows)
    table = pa.table(
        {
            "row": np.arange(float(rows)),
            "tags": rng.choice(["a|b", "", "c"], rows),
            "click": np.arange(rows) % 2,
            "user": rng.integers(0, max(rows // 5, 1), rows),
        }
    )
    encoder, _ = TableEncoder.fit(SCHEMA, table)
    plan = Plan({}, rows, order, block_rows=block, part_rows=part, whole_groups=groups, label_columns=["click"])
    write_cache(folder, plan, regrouped([table], piece), encoder.encode_piece)
    return open_cache(folder)


def with_targets(table: TensorTable) -> TensorTable:
    return replace(table, targets=table.floats[:, :1])


def windowed(rows: CachedRows, blocks: int) -> WindowedRows:
    return WindowedRows(rows, 1, window_blocks=blocks).prepared(with_targets)


def epoch(rows: WindowedRows, size: int, seed: int | None = 0, **options) -> list[list[int]]:
    return [batch.targets[:, 0].int().tolist() for batch in rows.batches(size, seed, **options)]


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(2, 200),
    block=st.integers(1, 40),
    part=st.integers(1, 90),
    window=st.integers(1, 9),
    size=st.integers(1, 70),
    seed=st.integers(0, 3),
    data=st.data(),
)
def test_every_row_once_from_any_batch_on_for_any_number_of_processes(rows, block, part, window, size, seed, data):
    with TemporaryDirectory() as folder:
        source = windowed(cached(Path(folder), rows, block=block, part=part), window)
        batches = epoch(source, size, seed)
        assert sorted(chain.from_iterable(batches)) == list(range(rows))
        assert all(len(batch) == size for batch in batches[:-1])
        first = data.draw(st.integers(0, len(batches) + 1))
        assert epoch(source, size, seed, first=first) == batches[first:]
        ranks = data.draw(st.integers(1, 4))
        shares = [epoch(source, size, seed, first=first, processes=Share(rank, ranks)) for rank in range(ranks)]
        assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == batches[first:]
        assert epoch(source, size, seed) == batches


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 99), max_size=6))
def test_borders_of_files_change_nothing(ends):
    rows = pa.table({"row": np.arange(100.0), "tags": ["a"] * 100, "click": [0, 1] * 50, "user": [1] * 100})
    encoder, _ = TableEncoder.fit(SCHEMA, rows)
    digests = set()
    for cut in ([], sorted(set(ends))):
        files = [rows.slice(a, b - a) for a, b in zip([0, *cut], [*cut, 100], strict=True)]
        with TemporaryDirectory() as folder:
            plan = Plan({}, 100, block_rows=8, part_rows=30, label_columns=["click"])
            write_cache(Path(folder), plan, regrouped(files, 20), encoder.encode_piece)
            digests.add(open_cache(Path(folder)).manifest.digest())
    assert len(digests) == 1


def test_epochs_differ_and_mix_all_of_the_rows(tmp_path):
    source = windowed(cached(tmp_path, 2000, block=10, part=400, piece=100), 8)
    one, other = epoch(source, 50, 1), epoch(source, 50, 2)
    assert one != other
    # the rows of a batch come from everywhere: a mean of 50 of 2,000 rows, within five deviations, in every batch
    means = np.array([np.mean(batch) for batch in one])
    assert (np.abs(means - 1000) < 5 * 2000 / np.sqrt(12 * 50)).all()
    assert all(min(np.diff(sorted(batch))) >= 1 for batch in one)


def test_the_order_of_time_is_kept_but_within_windows(tmp_path):
    source = windowed(cached(tmp_path, 300, block=10, part=40, piece=20, order="time"), 3)
    batches = epoch(source, 30, 5)
    assert [sorted(batch) for batch in batches] == [list(range(a, a + 30)) for a in range(0, 300, 30)]
    assert batches[0] != sorted(batches[0])
    assert epoch(source, 30, None) == [list(range(a, a + 30)) for a in range(0, 300, 30)]


def test_groups_stay_together(tmp_path):
    source = windowed(cached(tmp_path, 300, block=20, part=100, groups=True), 2)
    found: dict[int, list[int]] = {}
    rows = 0
    for batch in source.batches(50, 3, whole_groups=True):
        for group in batch.groups.tolist():
            found.setdefault(group, []).append(rows)
            rows += 1
    assert len(found) > 50
    assert all(places == list(range(places[0], places[0] + len(places))) for places in found.values())


def test_pieces_and_head_are_the_rows_in_their_order(tmp_path):
    source = windowed(cached(tmp_path, 100, block=10, part=40, order="time"), 3)
    assert torch.cat([piece.floats[:, 0] for piece in source.pieces()]).tolist() == list(range(100))
    assert source.head(13).floats[:, 0].tolist() == list(range(13))
    assert len(source.head(1000)) == len(source) == source.rows == 100


def test_a_window_of_a_damaged_cache_is_not_begun(tmp_path):
    rows = cached(tmp_path, 100, block=10, part=40)
    (tmp_path / rows.manifest.parts[0].file).unlink()
    with pytest.raises(gw.GatewiseError, match="part-00000"):
        open_cache(tmp_path)
