"""The benchmark of the MMoE paper's experiments: its stacked models are Gatewise's, and a short form of it runs."""

from __future__ import annotations

import math
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


def test_parts_are_kept_apart() -> None:
    from grid import grid
    from setting import Setting

    whole = Setting("mmoe", 0.5, 1e-2, 8, None, steps=2, seeds=60)
    assert [(part.first, part.seeds) for part in whole.parts] == [(0, 25), (25, 25), (50, 10)]
    assert [part for part in whole.parts for part in part.parts] == whole.parts
    parts = grid().parts
    assert len({part.key for part in parts}) == len(parts)


def test_a_seed_with_a_falling_rate_trains_as_a_module_would() -> None:
    from models import build
    from problems import Problems
    from setting import TEST_ROWS, Setting, final_losses

    # every part has rows of its own
    train, test = (torch.Generator().manual_seed(3 * 25 + stream) for stream in (1, 2))
    steps, problems = 40, Problems(0.5, [25])
    trunk, towers = build("mmoe", 25, ("expert_norm",))
    optimizer = torch.optim.Adam([*trunk.parameters(), *towers.parameters()], 1e-2)
    for step in range(steps):
        # two steps of warm-up, then half a cosine down to 0 at the last step
        rate = (step + 1) / 3 if step < 2 else (1 + math.cos(math.pi * (step - 2) / (steps - 3))) / 2
        optimizer.param_groups[0]["lr"] = 1e-2 * rate
        x, y = problems.draw(8, train)
        optimizer.zero_grad()
        (towers(trunk(x[0])) - y[0]).square().mean().backward()
        optimizer.step()
    x, y = problems.draw(TEST_ROWS, test)
    expected = (towers(trunk(x[0])) - y[0]).square().mean().item()
    at = Setting("mmoe", 0.5, 1e-2, 8, None, steps, seeds=1, remedies=("expert_norm", "cosine"), first=25)
    assert final_losses(at) == pytest.approx([expected], rel=1e-3)


def test_shares_have_wilsons_interval() -> None:
    from summary import Summary

    # Wilson's interval by hand: 0 of 200 ends at z^2 / (n + z^2)
    assert Summary((0.1,) * 200).interval == pytest.approx((0.0, 100 * 3.8416 / 203.8416))
    low, high = Summary((0.1,) * 90 + (0.3,) * 10).interval
    assert (low, high) == pytest.approx((5.523, 17.437), abs=1e-3)


def test_the_map_is_read_from_its_results() -> None:
    from grid import grid
    from points import points
    from reading import reading

    chosen = grid()
    level = {"mmoe": 0.1, "omoe": 0.1, "shared_bottom": 0.1}
    turned = {"mmoe": 0.5, "omoe": 0.4, "shared_bottom": 0.1}
    ahead = {"mmoe": 0.05, "omoe": 0.4, "shared_bottom": 0.5}
    results = {
        at: [(turned if at.rows else ahead if at.lr == 3e-2 else level)[at.kind] + seed * 1e-4 for seed in range(16)]
        for at in chosen.settings
    }
    text = reading(points(chosen.settings[0], results))
    assert "At 18 of 48 points no run of any model ends above 0.2, at 0 every run of all three does" in text
    assert "With fresh rows these runs fail: 0 % of MMoE, 25 % of OMoE, 25 % of shared bottom" in text
    assert "At 18 of 24 points with fresh rows the three means lie within 0.02" in text
    assert "the lowest of the three at 6 of 24: batches of 32 at rate 0.03 (cosine 0.5, 0.9, 1)" in text
    assert "shared bottom is the lowest at 24 of 24, MMoE at 0 of 24" in text


def test_remedies_are_judged_against_plain_models() -> None:
    from ablation import ablation
    from grid import grid

    chosen = grid(many=100)
    plain, normed, falling, both = chosen.regions[0][:4]
    losses = {plain: [0.3] * 20 + [0.1] * 80, normed: [0.3] * 10 + [0.1] * 90, falling: [0.15] * 100, both: [0.1] * 100}
    results = {part: of[part.first : part.first + 25] for at, of in losses.items() for part in at.parts}
    text = ablation(chosen, results)
    assert "| none | 100 | 0.140 ± 0.008 | 0.300 | 20: 20.0 % (13.3 to 28.9) |" in text
    assert "The lowest mean: `expert_norm` + `schedule: cosine` takes the mean from 0.140 to 0.100" in text
    assert "failures from 20.0 % to 0.0 %, at or below the 1 % that was aimed at" in text
    assert "`expert_norm` takes the mean from 0.140 to 0.120 and failures from 20.0 % to 10.0 %" in text


def test_a_short_form_writes_the_section_and_its_pictures(tmp_path: Path) -> None:
    from grid import grid
    from picture import draw
    from section import section
    from setting import final_losses

    chosen = grid(steps=3, seeds=2, many=2)
    some = [*chosen.settings[:3], *chosen.figures, *chosen.regions[0][:3]]
    results = {part: final_losses(part) for setting in some for part in setting.parts}
    text = section(chosen, results)
    assert "| 0.001 | " in text
    assert "**Batches of 32, fresh rows at every step**" in text
    assert "not run" in text
    assert "| published | 0.081, 6.0 % |" in text
    assert "| `schedule: cosine` | 2 | " in text
    draw(chosen, results, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"paper_map.svg", "paper_losses.svg"}
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    draw(chosen, results, tmp_path)
    assert all(path.read_bytes() == written for path, written in first.items())
