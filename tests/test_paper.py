"""The benchmark of the MMoE paper's experiments: its stacked models are Gatewise's, and a short form of it runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gatewise.datasets.related_tasks import draw_tasks

FOLDER = Path(__file__).parents[1] / "benchmarks" / "paper"


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.mark.parametrize("remedies", [(), ("expert_norm",), ("zero_init", "gate_dropout")])
@pytest.mark.parametrize("kind", ["mmoe", "omoe", "shared_bottom"])
def test_stacked_models_are_those_of_the_library(kind: str, remedies: tuple[str, ...]) -> None:
    from models import Stacked, build

    stacked, x = Stacked(kind, range(3), remedies).eval(), torch.randn(3, 7, 100)
    found = stacked(x)
    for seed in range(3):
        trunk, towers = build(kind, seed, remedies).eval()
        torch.testing.assert_close(found[seed], towers(trunk(x[seed])), atol=1e-6, rtol=1e-5)


def test_parameters_of_mmoe_are_the_papers() -> None:
    from models import build

    weights = {name: weight for name, weight in build("mmoe", 0).named_parameters() if name.endswith("weight")}
    assert sum(weight.numel() for name, weight in weights.items() if "gates" not in name) == 13_056 + 16


def test_problems_are_the_data_set() -> None:
    from problems import Problems

    problems, x = Problems(0.9, [3, 5]), torch.randn(2, 6, 100)
    for i, seed in enumerate((3, 5)):
        expected = draw_tasks(0.9, 100, seed).labels(x[i].double().numpy())
        np.testing.assert_allclose(problems.labels(x)[i].numpy(), expected, atol=1e-4)
    _, labels = problems.draw(50_000, torch.Generator().manual_seed(9))
    torch.testing.assert_close(labels.mean(dim=1), torch.zeros(2, 2), atol=0.03, rtol=0)
    torch.testing.assert_close(labels.std(dim=1), torch.ones(2, 2), atol=0.03, rtol=0)


def test_each_seed_trains_as_it_would_alone() -> None:
    from setting import Setting, final_losses

    common = {"kind": "mmoe", "cosine": 0.5, "lr": 1e-2, "batch": 32, "rows": None}
    untrained = final_losses(Setting(**common, steps=0, seeds=2))
    trained = final_losses(Setting(**common, steps=300, seeds=2))
    assert all(after < before for before, after in zip(untrained, trained, strict=True))
    assert trained == final_losses(Setting(**common, steps=300, seeds=2))


def test_a_short_form_writes_the_section() -> None:
    from grid import grid
    from section import section
    from setting import final_losses

    chosen = grid(steps=3, seeds=2)
    few = [*chosen.settings[:3], *chosen.remedies[:2], *(s for s in chosen.settings if s.rows and s.cosine == 1)][:9]
    text = section(chosen, {setting: final_losses(setting) for setting in few})
    assert "| 0.001 | " in text
    assert "**Batches of 32, fresh rows at every step**" in text
    assert "not run" in text
    assert (
        len({setting.key for setting in (*chosen.settings, *chosen.remedies)}) == len(chosen.settings) + 14
    )  # plain MMoE is in both
