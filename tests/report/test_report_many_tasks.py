"""The report of a model of many tasks and features: a matrix, one task at a time, long names."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.cli import main
from gatewise.errors import TableError

TASKS = 8
LONG = "user_profile_window_aggregate_of_affinity_{}_标签"
START = datetime.datetime(2024, 5, 1)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(0)
    rows = 900
    numbers = {LONG.format(k): rng.normal(size=rows) for k in range(20)}
    strong = numbers[LONG.format(0)]
    labels = {f"task_{k}": (rng.random(rows) < 1 / (1 + np.exp(1 - (k + 1) * strong))).astype(float) for k in range(7)}
    times = [START + datetime.timedelta(minutes=10 * k) for k in range(rows)]
    return pa.table({**numbers, **labels, "stars": strong + rng.normal(size=rows), "time": times})


@pytest.fixture(scope="module")
def ranker(table) -> gw.Ranker:
    tasks = [gw.Binary(f"task_{k}") for k in range(7)] + [gw.Regression("stars")]
    schema = gw.Schema(features=[gw.Numeric(LONG.format(k)) for k in range(20)], tasks=tasks)
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
    return gw.Ranker(schema, model, epochs=2, batch_size=128, lr=0.02).fit(table.slice(0, 600), table.slice(600))


@pytest.fixture(scope="module")
def report(ranker, table, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("many") / "report.html"
    ranker.report(path, table.slice(600), time="time", name="many")
    return path


def seen(page, selector: str) -> list[str]:
    return page.eval_on_selector_all(
        selector, "all => all.filter(each => each.checkVisibility()).map(each => each.dataset.task)"
    )


def test_every_task_is_in_a_matrix_with_intervals_where_one_points(report, ranker, table, open_page):
    page = open_page(report).page
    rows = page.eval_on_selector_all(
        ".matrices tbody tr", "rows => rows.map(row => [...row.cells].map(cell => [cell.textContent, cell.title]))"
    )
    assert [row[0][0] for row in rows] == [task.name for task in ranker.schema.tasks]
    metrics = ranker.evaluate(table.slice(600))
    assert [float(row[1][0]) for row in rows] == pytest.approx(
        [metrics[f"task_{k}"]["auc"] for k in range(7)] + [metrics["stars"]["r2"]], abs=1e-4
    )
    assert all(" to " in cell[1] for row in rows for cell in row[1:])
    assert page.locator(".tile").count() == 0


def test_one_task_is_shown_at_a_time_and_all_if_wanted(report, open_page):
    page = open_page(report).page
    assert set(seen(page, "[data-task]")) == {"task_0"}
    page.locator("select").select_option("stars")
    assert set(seen(page, "[data-task]")) == {"stars"}
    page.locator("[data-picks=task_3]").click()
    assert set(seen(page, "[data-task]")) == {"task_3"}
    page.locator("[data-picks=task_4]").press("Enter")
    assert page.locator("select").input_value() == "task_4"
    page.locator("select").select_option("")
    assert len(set(seen(page, "[data-task]"))) == TASKS


def test_a_long_recipe_is_scrolled(report, open_page):
    page = open_page(report).page
    page.locator("nav a", has_text="How to make this again").click()
    recipe = page.locator("#again .scroll:has(> pre)").last
    assert recipe.bounding_box()["height"] <= 34 * 16 + 1
    page.emulate_media(media="print")
    assert recipe.evaluate("each => each.scrollHeight <= each.clientHeight + 1")


def test_the_gates_of_every_task_are_drawn_by_epoch(report, open_page):
    page = open_page(report).page
    captions = "#gates figure[data-task] figcaption"
    assert page.locator(captions).count() == TASKS
    page.locator("select").select_option("stars")
    (said,) = [each for each in page.locator(captions).all() if each.is_visible()]
    assert said.text_content() == "stars: rows in which each expert weighs most"


def test_without_scripts_all_is_shown(report, open_page):
    page = open_page(report, java_script_enabled=False).page
    assert len(set(seen(page, "[data-task]"))) == TASKS
    assert page.eval_on_selector_all("details.part", "all => all.every(each => each.open)")
    assert not page.locator("select").is_visible()
    assert page.locator("input").count() == 0


def test_links_of_the_outline_open_sections_that_are_folded(report, open_page):
    page = open_page(report).page
    part = "() => document.querySelector('#again .part').open"
    assert not page.evaluate(part)
    page.locator("nav a", has_text="How to make this again").click()
    assert page.evaluate(part)


def test_long_tables_are_searched(report, open_page):
    page = open_page(report).page
    page.get_by_text("all 20 features").click()
    (table,) = [each for each in page.locator("#data .block").all() if "all 20 features" in (each.text_content() or "")]
    box = table.locator("input[type=search]")
    box.fill("AFFINITY_1 标签")
    shown = table.locator("tbody tr").evaluate_all(
        "rows => rows.filter(row => !row.hidden).map(row => row.cells[0].textContent)"
    )
    assert sorted(shown) == sorted(LONG.format(k) for k in (1, *range(10, 20)))


def test_long_names_are_cut_in_the_middle_and_whole_where_one_points(report, open_page):
    page = open_page(report).page
    name = LONG.format(0)
    whole = page.eval_on_selector_all("#features svg title", "all => all.map(each => each.textContent)")
    assert name in whole
    short = page.eval_on_selector_all(
        "#features svg text", "all => all.filter(e => e.querySelector('title')).map(e => e.firstChild.data)"
    )
    assert short
    assert all("…" in each and each.endswith("标签") for each in short if each.startswith("user"))
    titles = page.eval_on_selector_all("#data td.cut", "all => all.map(each => each.title === each.textContent)")
    assert titles
    assert all(titles)


def test_the_first_numbers_are_on_the_first_screen_of_a_phone(report, open_page):
    opened = open_page(report, width=375)
    page = opened.page
    assert opened.said == []
    assert page.locator(".matrices td[data-value]").first.bounding_box()["y"] < 400
    page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 375


def test_days_are_those_of_the_time_column(report, open_page):
    page = open_page(report).page
    text = page.locator("#data").text_content()
    assert "Labels and predictions by time" in text
    assert "2024-05-05 04:00:00" in text


def test_a_time_column_that_is_not_there_is_said(ranker, table, tmp_path):
    with pytest.raises(TableError, match="over time 'tine': the table has no column 'tine'; did you mean 'time'"):
        ranker.report(tmp_path / "report.html", table, time="tine")


def test_problems_of_one_kind_are_one_note(ranker, table, tmp_path, open_page, monkeypatch):
    from gatewise.analysis import Problem

    many = [Problem("rare values", None, (str(k),), f"feature {k} is rare", "leave it out") for k in range(9)]
    monkeypatch.setattr("gatewise.insight.Insight.training_problems", lambda _: many)
    path = tmp_path / "report.html"
    ranker.report(path)
    page = open_page(path).page
    assert page.locator("#problems .note.bad").all_text_contents() == [
        "Feature 0 is rare. And 8 more of 9: rare values.Try leave it out."
    ]
    assert page.locator("#problems details details tbody tr").count() == 9


def test_it_says_how_to_make_the_model_again(ranker, table, tmp_path, open_page):
    import torch

    path = tmp_path / "report.html"
    ranker.report(path)
    page = open_page(path).page
    text = page.locator("#again").text_content()
    assert gw.__version__ in text
    assert torch.__version__ in text
    assert "kind: mmoe" in text
    assert "trained from Python" in text


def test_a_recipe_on_the_page_trains_the_same_model(feed, tmp_path, open_page, monkeypatch):
    import pyarrow.parquet as pq
    import yaml

    monkeypatch.chdir(tmp_path)
    pq.write_table(feed, "feed.parquet")
    recipe = {
        "data": {"table": "feed.parquet", "split": {"seed": 3}},
        "features": [{"kind": "numeric", "name": "price", "transform": "log"}],
        "tasks": [{"kind": "binary", "name": "click"}],
        "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
        "training": {"epochs": 1},
        "output": "first",
    }
    Path("recipe.yaml").write_text(yaml.safe_dump(recipe))

    def train(name: str) -> None:
        monkeypatch.setattr("sys.argv", ["gatewise", "train", name])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code

    train("recipe.yaml")
    page = open_page(tmp_path / "first" / "report.html").page
    shown = page.locator("#again pre").all_text_contents()
    assert shown[0] == "gatewise train recipe.yaml"
    Path("again.yaml").write_text(shown[1].replace("output: first", "output: second"))
    train("again.yaml")
    assert Path("first/metrics.json").read_text() == Path("second/metrics.json").read_text()
    assert yaml.safe_load(shown[1])["model"] == recipe["model"]
