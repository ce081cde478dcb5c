"""Metrics as tables: one line per metric, one column per prediction."""

from __future__ import annotations

from gatewise.analysis.tables import metrics_grids


def test_groups_without_a_metric_stand_below_their_prediction() -> None:
    metrics = {
        "click": {"hit_rate@10": 0.5, "hit_rate@10_skipped": None},
        "buy": {"hit_rate@10": None, "hit_rate@10_skipped": 1200.0},
    }
    (grid,) = metrics_grids(metrics)
    assert grid.headings == ["metric", "click", "buy"]
    assert grid.rows[1] == ["hit_rate@10: groups skipped", "", "1,200"]


def test_no_group_skipped_is_no_line() -> None:
    (grid,) = metrics_grids({"click": {"gauc": 0.5, "gauc_skipped": 0.0}})
    assert [row[0] for row in grid.rows] == ["gauc"]
