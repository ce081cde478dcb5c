from __future__ import annotations

import numpy as np
import pytest

from gatewise.datasets import related_tasks
from gatewise.datasets.related_tasks import draw_tasks
from gatewise.errors import TableError

CORRELATIONS = {
    0.4: 0.055, 0.5: 0.074, 0.6: 0.100, 0.7: 0.134, 0.8: 0.193, 0.9: 0.305, 0.95: 0.446, 0.98: 0.657, 1.0: 0.997,
}  # fmt: skip
"""Of the labels, as the paper's second figure shows them."""


@pytest.mark.parametrize(("cosine", "expected"), CORRELATIONS.items())
def test_labels_correlate_as_in_the_paper(cosine: float, expected: float) -> None:
    found = []
    for seed in range(4):
        table = related_tasks(cosine, 20_000, dim=20, seed=seed)
        found.append(np.corrcoef(table["first"].to_numpy(), table["second"].to_numpy())[0, 1])
    assert np.mean(found) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("cosine", [-1.0, 0.0, 0.37, 1.0])
def test_weights_have_their_length_and_cosine(cosine: float) -> None:
    first, second = draw_tasks(cosine, 30, seed=3).directions
    assert np.linalg.norm(first) == pytest.approx(0.3)
    assert np.linalg.norm(second) == pytest.approx(0.3)
    assert first @ second / 0.09 == pytest.approx(cosine, abs=1e-12)


def test_labels_by_hand() -> None:
    tasks = draw_tasks(0.5, 4, seed=1)
    x = np.random.default_rng(0).normal(size=(3, 4))
    for row in range(3):
        for task in range(2):
            z = float(tasks.directions[task] @ x[row])
            expected = z + sum(np.sin(2 * np.pi * i * z + i / 2) for i in range(1, 5))
            assert tasks.labels(x)[row, task] == pytest.approx(expected)


def test_the_table_is_drawn_from_its_seed() -> None:
    table, again = (related_tasks(0.9, 50, dim=3, seed=7) for _ in range(2))
    assert table.equals(again)
    assert not table.equals(related_tasks(0.9, 50, dim=3, seed=8))
    x = np.array(table["x"].to_pylist())
    noise = np.stack([table[name].to_numpy() for name in ("first", "second")], axis=1) - draw_tasks(0.9, 3, 7).labels(x)
    assert 0.07 < noise.std() < 0.13


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(TableError, match=r"cosine: expected a number from -1 to 1, found 1\.5"):
        related_tasks(1.5, 3)
    with pytest.raises(TableError, match="dim: expected 2 or more, found 1"):
        related_tasks(0.5, 3, dim=1)
