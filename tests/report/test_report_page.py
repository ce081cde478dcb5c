"""The report in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw

SECTIONS = [
    "problems",
    "metrics",
    "data",
    "learning",
    "gates",
    "experts",
    "features",
    "slices",
    "calibration",
    "curves",
    "conflict",
    "trained",
    "again",
]
CONTRASTS = """() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const linear = part => (part /= 255) <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const background = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
    if (!text || element.tagName === "SCRIPT") continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [luminance(parse(colour)), luminance(background(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), text, colour]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def ranker(feed, feed_schema) -> gw.Ranker:
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4])
    options = {"epochs": 3, "batch_size": 128, "lr": 0.02, "conflict_every": 4}
    return gw.Ranker(feed_schema, model, balance="uncertainty", **options).fit(feed.slice(0, 1500), feed.slice(1500))


@pytest.fixture(scope="module")
def report(ranker, feed, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    ranker.report(path, feed.slice(1500), ["tags", "price"], name="feed")
    return path


def column(page, table: str, place: int) -> list[str]:
    return page.eval_on_selector_all(f"{table} tbody tr", f"rows => rows.map(row => row.cells[{place}].textContent)")


def numbers_behind(page, title: str) -> list[dict[str, float | str | None]]:
    """Return the table behind a figure, numbers in full."""
    return page.evaluate(
        """title => {
          const figure = [...document.querySelectorAll("figure")].find(
            each => each.querySelector("figcaption").textContent === title);
          const names = [...figure.querySelectorAll("th")].map(each => each.textContent);
          const value = cell => cell.dataset.value === undefined ? cell.textContent
            : cell.dataset.value === "" ? null : Number(cell.dataset.value);
          return [...figure.querySelectorAll("tbody tr")].map(row => Object.fromEntries(
            [...row.cells].map((cell, k) => [names[k], value(cell)])));
        }""",
        title,
    )


def test_it_is_whole_and_silent(report, open_page):
    opened = open_page(report)
    assert opened.said == []
    assert opened.asked == []
    assert report.stat().st_size < 2_000_000
    assert opened.page.eval_on_selector_all("section", "all => all.map(each => each.id)") == SECTIONS
    links = opened.page.eval_on_selector_all("nav a", "all => all.map(each => each.getAttribute('href'))")
    assert links == [f"#{name}" for name in SECTIONS]
    assert opened.page.locator("section", has=opened.page.locator("h2")).count() == len(SECTIONS)
    assert opened.page.locator("svg[role=img]").count() == opened.page.locator("figure details table").count() > 10


def test_tables_sort_by_click_and_by_key(report, open_page):
    page = open_page(report).page
    heading = page.locator("#metrics th", has_text=re.compile("^value$"))
    values = [float(text) for text in column(page, "#metrics table", 2)]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in column(page, "#metrics table", 2)] == sorted(values)
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in column(page, "#metrics table", 2)] == sorted(values, reverse=True)
    other = page.locator("#metrics th", has_text="metric")
    other.get_by_role("button").press("Space")
    assert [heading.get_attribute("aria-sort"), other.get_attribute("aria-sort")] == ["none", "ascending"]
    assert column(page, "#metrics table", 1) == sorted(column(page, "#metrics table", 1))


def test_sorting_knows_numbers_and_puts_what_is_undefined_last(tmp_path, open_page):
    from gatewise.report import render
    from gatewise.report.blocks import Page, Section, Table, Titled

    rows = [["b10", 10, None], ["b9", 9.5, 0.5], ["a", 1e-7, -2.0], ["c", 1234.5, None]]
    section = Section("one", "One", blocks=[Titled("", Table(["name", "count", "odd"], rows))])
    path = tmp_path / "page.html"
    path.write_text(render(Page("page", "", [], [section])))
    page = open_page(path).page
    orders = {}
    for name in ("name", "count", "odd"):
        for _ in range(2):
            page.locator("th button", has_text=name).click()
            orders.setdefault(name, []).append(column(page, "table", 0))
    assert orders["name"] == [["a", "b9", "b10", "c"], ["c", "b10", "b9", "a"]]
    assert orders["count"] == [["a", "b9", "b10", "c"], ["c", "b10", "b9", "a"]]
    assert [order[:2] for order in orders["odd"]] == [["a", "b9"], ["b9", "a"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_system_s_colours_and_the_button(report, open_page, scheme):
    page = open_page(report, scheme=scheme).page
    look = "() => [getComputedStyle(document.body), getComputedStyle(document.querySelector('svg text'))]"
    look += ".map(style => [style.backgroundColor, style.color, style.fill])"
    first = page.evaluate(look)
    button = page.get_by_role("button", name="colours")
    assert button.text_content() == ("Dark" if scheme == "light" else "Light")
    button.click()
    second = page.evaluate(look)
    assert first[0][:2] != second[0][:2]
    assert first[1][2] != second[1][2]
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(27, 35, 48)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(report, open_page, scheme):
    page = open_page(report, scheme=scheme).page
    page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
    found = page.evaluate(CONTRASTS)
    assert len(found) > 300
    assert [each for each in found if each[0] < 4.5] == []


def test_without_scripts_it_still_follows_the_system(report, open_page):
    page = open_page(report, scheme="dark", java_script_enabled=False).page
    # evaluation needs no scripts of the page
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 26)"


def test_it_fits_a_phone(report, open_page):
    page = open_page(report, width=375).page
    page.evaluate("() => document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 375
    beyond = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(each => !each.closest(".scroll *, .picture *")
             && each.getBoundingClientRect().right > 375.5).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert beyond == []
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("svg text")].map(each => Math.hypot(each.getScreenCTM().a,
             each.getScreenCTM().b) * parseFloat(getComputedStyle(each).fontSize))"""
    )
    assert min(sizes) >= 8


def close(found: object, expected: object) -> bool:
    """Return whether nested lists hold the same, numbers to nine digits."""
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(found, (int, float)) and isinstance(expected, (int, float)):
        return found == pytest.approx(expected, rel=1e-8, abs=1e-300)
    return found == expected


def test_numbers_behind_figures_are_the_data(report, ranker, feed, open_page):
    page, test, history = open_page(report).page, feed.slice(1500), ranker.history
    (usage,), (alike,), (without,) = (
        look(test) for look in (ranker.gate_usage, ranker.expert_similarity, ranker.expert_ablation)
    )
    changes = [["all experts", *without.whole.tolist()]]
    changes += [[f"without {name}", *row] for name, row in zip(without.experts, without.change.tolist(), strict=True)]
    expected = {
        "click: loss": [[r.epoch, r.train["click"]["loss"], r.valid["click"]["log_loss"]] for r in history],
        "stars: training loss": [[r.epoch, r.train["stars"]["loss"]] for r in history],
        "click: auc on the validation rows": [[r.epoch, r.valid["click"]["auc"]] for r in history],
        "Mean weight of each task's loss": [[r.epoch, *(each["weight"] for each in r.train.values())] for r in history],
        "Relative entropy of the gates": [
            [r.epoch, *(each["relative_entropy"] for each in r.gates.values())] for r in history
        ],
        "Mean weight of every expert": [list(row) for row in zip(usage.gates, *usage.weights.T.tolist(), strict=True)],
        "Similarity (CKA)": [[name, *row] for name, row in zip(alike.experts, alike.cka.tolist(), strict=True)],
        "Change of the metric without the expert": changes,
        "click: loss of auc without the feature": [
            [each.feature, each.drop, each.low, each.high]
            for each in ranker.feature_importance(test, repeats=3)["click"]
        ],
        "click: auc by price": [[p.value, p.rows, p.metrics["auc"]] for p in ranker.slices(test, "price")["click"]],
        "click: predicted and found": [
            ["as predicted", p.rows, p.prediction, p.share, p.low, p.high] for p in ranker.reliability(test)["click"]
        ],
        "Cosine at the shared representation": [
            [r.epoch, "click", "stars", *(r.conflict[0][name] for name in ("cosine", "norm_ratio", "steps"))]
            for r in history
        ],
    }
    for title, rows in expected.items():
        assert close([list(row.values()) for row in numbers_behind(page, title)], rows), title


def test_metrics_are_those_of_evaluate(report, ranker, feed, open_page):
    page = open_page(report).page
    shown = page.eval_on_selector_all(
        "#metrics tbody tr",
        "rows => rows.map(r => [r.cells[0].textContent, r.cells[1].textContent, Number(r.cells[2].dataset.value)])",
    )
    metrics = ranker.evaluate(feed.slice(1500))
    assert close(shown, [[output, name, value] for output, found in metrics.items() for name, value in found.items()])


def test_names_and_values_are_only_text(tmp_path, open_page):
    evil, worse = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    rows = 400
    table = pa.table(
        {
            evil: pa.array(np.array(["a", worse, "${x}"])[np.arange(rows) % 3]),
            "{{ 7*7 }}": np.arange(rows) % 2,
        }
    )
    schema = gw.Schema(features=[gw.Categorical(evil, dim=2)], tasks=[gw.Binary("{{ 7*7 }}")])
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1).fit(table, table)
    path = tmp_path / "report.html"
    ranker.report(path, table, name="</title><b>")
    opened = open_page(path)
    assert opened.said == []
    assert opened.asked == []
    text = opened.page.locator("main").text_content()
    assert evil in text
    assert worse in text
    assert "{{ 7*7 }}" in text
    assert opened.page.locator("script").count() == 1
    assert opened.page.locator("img").count() == 0
    assert opened.page.locator("h1").text_content() == "</title><b>"


def test_an_injected_script_would_not_run(report, tmp_path, open_page):
    path = tmp_path / "page.html"
    path.write_text(report.read_text().replace("</h1>", "</h1><script>document.title = 'owned'</script>"))
    assert open_page(path).page.title() != "owned"


def test_without_a_table_it_says_what_one_would_add(ranker, tmp_path, open_page):
    path = tmp_path / "report.html"
    ranker.report(path, name="feed")
    opened = open_page(path)
    assert opened.said == []
    assert "gatewise report feed TABLE" in opened.page.locator("#problems").text_content()
    assert {"learning", "conflict", "trained"} <= set(
        opened.page.eval_on_selector_all("section", "all => all.map(each => each.id)")
    )


def test_a_report_depends_on_ranker_and_table_alone(report, ranker, feed, tmp_path):
    again = tmp_path / "again.html"
    ranker.save(tmp_path / "copy")
    gw.load(tmp_path / "copy").report(again, feed.slice(1500), ["tags", "price"], name="feed")
    assert again.read_text() == report.read_text()


def hurt(ranker: gw.Ranker, folder: Path, logits: list[list[float]]) -> gw.Ranker:
    """Return a copy of a ranker whose gates have these logits ``[task, expert]`` in every row."""
    ranker.save(folder / "hurt")
    copy = gw.load(folder / "hurt")
    gates = copy.scorer.model.trunk.levels[0].gates
    with torch.no_grad():
        for weight in gates.parameters():
            weight.zero_()
        (bias,) = (weight for name, weight in gates.named_parameters() if name.endswith("bias"))
        bias.copy_(torch.tensor(logits).reshape(bias.shape))
    return copy


@pytest.fixture(scope="module")
def with_bias(feed, feed_schema) -> gw.Ranker:
    model = gw.MMoE(experts=3, expert_dims=[8], tower_dims=[4], gate=gw.SoftmaxGate(bias=True))
    return gw.Ranker(feed_schema, model, epochs=1).fit(feed.slice(0, 500))


def problems_said(ranker: gw.Ranker, feed: pa.Table, folder: Path, open_page) -> list[str]:
    path = folder / "hurt.html"
    ranker.report(path, feed.slice(1500), "price")
    opened = open_page(path)
    assert opened.said == []
    return opened.page.locator("#problems .note").all_text_contents()


def test_a_dead_expert_is_said_with_a_remedy(with_bias, feed, tmp_path, open_page):
    (said,) = problems_said(hurt(with_bias, tmp_path, [[0, 0, -99], [0, 1, -99]]), feed, tmp_path, open_page)
    assert "Expert 2 is dead: no gate gives it more than 0.0000 on average." in said
    assert "Try fewer experts" in said


def test_a_collapsed_gate_is_said_with_a_remedy(with_bias, feed, tmp_path, open_page):
    (said,) = problems_said(hurt(with_bias, tmp_path, [[0, 99, 0], [0, 0, 0]]), feed, tmp_path, open_page)
    assert "The gate of task 'click' has collapsed: its largest weight is 1.000 on average, mostly of expert 1." in said
    assert "Try" in said


def test_a_model_that_still_learnt_is_called_so(ranker, feed, tmp_path, open_page):
    (said,) = problems_said(ranker, feed, tmp_path, open_page)
    assert said.startswith("The last of 3 epochs is the best one, and the score still rose by 0.0")


def test_a_healthy_model_is_called_so(ranker, feed, tmp_path, open_page, monkeypatch):
    # one epoch more, which brought nothing
    last = ranker.history[-1]
    monkeypatch.setattr(ranker, "history", [*ranker.history, replace(last, epoch=last.epoch + 1, best=False)])
    assert problems_said(ranker, feed, tmp_path, open_page) == [
        "No dead or duplicate expert, no collapsed gate, no starving task, and training went on until learning ended."
    ]


def test_models_without_gates_say_so(feed, feed_schema, tmp_path, open_page):
    ranker = gw.Ranker(feed_schema, gw.SharedBottom(bottom_dims=[8]), epochs=1).fit(feed.slice(0, 500))
    path = tmp_path / "report.html"
    ranker.report(path, feed.slice(1500), "price")
    page = open_page(path).page
    assert "SharedBottom has no gates" in page.locator("#gates").text_content()
    assert "SharedBottom has no experts" in page.locator("#experts").text_content()
    assert "training.conflict_every" in page.locator("#conflict").text_content()
