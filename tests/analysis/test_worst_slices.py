"""Columns whose slices differ, and the slices that are worst."""

from __future__ import annotations

import pytest
import torch

from gatewise.analysis import Cut, by_difference, slices, worst_slices
from gatewise.metrics import AUC, LOG_LOSS, PCOC
from gatewise.tasks import BinaryTask, Predicted, RegressionTask

ROWS = 4000


@pytest.fixture
def rows() -> Predicted:
    """Return predictions that are twice too high in the first tenth of the rows."""
    generator = torch.Generator().manual_seed(0)
    p = 0.05 + 0.4 * torch.rand(ROWS, generator=generator, dtype=torch.float64)
    labels = (torch.rand(ROWS, generator=generator, dtype=torch.float64) < p).double()
    predictions = p.clone()
    predictions[: ROWS // 10] *= 2
    stars = torch.randn(ROWS, generator=generator, dtype=torch.float64)
    columns = {"click": predictions, "stars": torch.zeros_like(stars)}
    return Predicted([BinaryTask("click"), RegressionTask("stars")], columns, torch.stack([labels, stars], dim=1))


def cuts(column: str, parts: int, *, scattered: bool) -> list[Cut]:
    place = torch.arange(ROWS) % parts if scattered else torch.arange(ROWS) * parts // ROWS
    return [Cut(column, str(k), torch.nonzero(place == k).squeeze(1)) for k in range(parts)]


def test_a_column_that_tells_errors_apart_comes_first(rows):
    found = by_difference(rows, [*cuts("chance", 10, scattered=True), *cuts("place", 10, scattered=False)], least=50)
    assert list(found) == ["place", "chance"]
    assert found["place"] > 10
    assert found["chance"] < 2


def test_slices_of_few_rows_do_not_count(rows):
    found = by_difference(rows, cuts("place", 10, scattered=False), least=ROWS // 10 + 1)
    assert found == {"place": 0.0}


def test_the_slice_with_the_wrong_mean_is_the_first_with_its_intervals(rows):
    parts = cuts("place", 10, scattered=False)
    found = worst_slices(rows, parts, slices(rows, parts, {"auc", "log_loss", "pcoc", "r2"}), limit=4)
    first = found["click"][0]
    assert (first.column, first.value, first.rows) == ("place", "0", ROWS // 10)
    part = rows.rows(parts[0].rows)
    labels, predictions = part.labels[:, 0], part.columns["click"]
    for metric in (AUC, LOG_LOSS, PCOC):
        value, low, high = first.metrics[metric.name]
        assert value == pytest.approx(metric.compute(labels, predictions))
        assert low < value < high
    assert first.metrics["pcoc"].low > 1.5
    assert {len(each) for each in found.values()} == {4}
    # the rest of the slices are right: their intervals hold 1, save for one in twenty
    assert sum(part.metrics["pcoc"].low <= 1 <= part.metrics["pcoc"].high for part in found["click"]) >= 2


def test_small_slices_are_not_judged(rows):
    parts = [Cut("x", "few", torch.arange(49)), Cut("x", "most", torch.arange(49, ROWS))]
    found = worst_slices(rows, parts, slices(rows, parts, {"auc", "log_loss", "pcoc", "r2"}))
    assert [part.value for part in found["click"]] == ["most"]
