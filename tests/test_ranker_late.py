"""Late labels through the ranker: trained, judged, saved, exported, and learnt when they are final."""

from __future__ import annotations

import datetime
import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.cli import main
from gatewise.errors import GatewiseError

DAY = 86_400
FROM = 1_777_593_600  # 2026-05-01
MODEL = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
WAITS = gw.Binary("buy", delay="2d", time="time")


def schema(*tasks: gw.Binary) -> gw.Schema:
    return gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=list(tasks))


def ranker(*tasks: gw.Binary, **options: object) -> gw.Ranker:
    return gw.Ranker(schema(*tasks), MODEL, **{"epochs": 4, "batch_size": 64, "lr": 0.01, **options})


def days(first: int, last: int, seen_by: float | None = None, rows: int = 300, seed: int = 0) -> pa.Table:
    """Return rows of some days, with the purchases that are seen by a day; by default all."""
    rng = np.random.default_rng(seed + first)
    rows *= last - first
    user, day = rng.integers(0, 20, rows), rng.uniform(first, last, rows)
    click = rng.random(rows) < np.where(user % 2, 0.6, 0.3)
    bought = day + rng.exponential(0.5, rows).clip(max=1.9)
    buy = (
        click & (rng.random(rows) < np.where(user % 2, 0.7, 0.4)) & (bought <= (np.inf if seen_by is None else seen_by))
    )
    seconds = [int(FROM + DAY * moment) if one else None for moment, one in zip(bought, buy, strict=True)]
    time = (FROM + DAY * day).astype(int)
    columns = {"user": user, "time": time, "click": click.astype(int), "buy": buy.astype(int)}
    return pa.table({**columns, "bought": pa.array(seconds, pa.int64())})


KINDS = {
    "waits": [gw.Binary("click"), WAITS],
    "step": [gw.Binary("click"), gw.Binary("buy", after="click", delay="2d", time="time")],
    "delayed_feedback": [gw.Binary("buy", delay="2d", time="time", late="delayed_feedback", seen="bought")],
    "importance": [
        gw.Binary("click"),
        gw.Binary("buy", within="click", delay="2d", time="time", late="importance", seen="bought"),
    ],
    "negatives": [gw.Binary("click", negatives_kept=0.5), gw.Binary("buy", after="click")],
    "shares": [gw.Binary("click", negatives_kept="share")],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_saved_loaded_exported_and_judged_as_it_predicts(kind, tmp_path):
    rows = days(0, 5, seen_by=5)
    rows = rows.append_column("share", pa.array(np.where(rows["user"].to_numpy() < 10, 0.25, 1.0)))
    made = ranker(*KINDS[kind], epochs=2).fit(rows, rows)
    made.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict({"user": [1, 2, 99]}) == made.predict({"user": [1, 2, 99]})
    assert loaded.evaluate(rows) == made.evaluate(rows)
    assert loaded.until == made.until
    for output, metrics in made.evaluate(rows).items():
        assert metrics == made.slices(rows.append_column("one", pa.array([1] * len(rows))), "one")[output][0].metrics
    made.export_onnx(tmp_path / "model.onnx")


def test_a_moment_decides_what_is_learnt_and_judged(tmp_path):
    rows = days(0, 5, seen_by=5)
    made = ranker(*KINDS["waits"]).fit(rows)
    newest = max(rows["time"].to_pylist())
    assert made.until == {"time": newest}
    old = rows.filter(pa.array(rows["time"].to_numpy() <= newest - 2 * DAY))
    assert made.evaluate(rows)["buy"] == made.evaluate(old, now="2026-06-01")["buy"]
    assert made.evaluate(rows, now="2026-06-01")["buy"]["pcoc"] > made.evaluate(rows)["buy"]["pcoc"]
    one = rows.append_column("one", pa.array([1] * len(rows)))
    for now in (None, "2026-06-01"):
        found = made.evaluate(rows, now=now)["buy"]
        assert made.slices(one, "one", now=now)["buy"][0].metrics == found
        assert made.intervals(rows, ["pcoc"], samples=2, now=now)["buy"]["pcoc"].value == found["pcoc"]
        assert sum(part.rows for part in made.reliability(rows, now=now)["buy"]) == (len(rows) if now else len(old))
    pq.write_table(rows, tmp_path / "rows.parquet")
    streamed = made.evaluate_stream(tmp_path / "rows.parquet")
    assert streamed.metrics["buy"]["log_loss"] == pytest.approx(made.evaluate(rows)["buy"]["log_loss"])
    early = ranker(*KINDS["waits"]).fit(rows, now="2026-05-04 12:00")
    assert early.until == {"time": FROM + 3.5 * DAY}
    assert early.predict(rows)["buy"] != made.predict(rows)["buy"]
    # labels that are not final change nothing, whatever they are
    other = np.where(rows["time"].to_numpy() > newest - 2 * DAY, 1, rows["buy"].to_numpy())
    other = rows.set_column(rows.column_names.index("buy"), "buy", pa.array(other))
    assert ranker(*KINDS["waits"]).fit(other).predict(rows) == made.predict(rows)


def test_rows_that_do_not_fit_into_memory_are_read_at_the_moment_of_the_whole(tmp_path):
    rows = days(0, 5, seen_by=5, rows=100)
    pq.write_table(rows, tmp_path / "rows.parquet")
    how = {"epochs": 1, "memory": 1, "cache": str(tmp_path / "caches")}
    found = ranker(*KINDS["waits"], **how).fit(tmp_path / "rows.parquet")
    assert found.until == {"time": max(rows["time"].to_pylist())}
    later = ranker(*KINDS["waits"], **how).fit(tmp_path / "rows.parquet", now="2026-06-01")
    assert later.predict(rows)["buy"] != found.predict(rows)["buy"]
    with pytest.raises(gw.errors.TableError, match=r"ripened: the rows to learn do not fit into training.memory"):
        found.update(tmp_path / "rows.parquet", ripened=rows)


def test_an_update_comes_back_to_the_day_that_has_ripened(tmp_path):
    made = ranker(*KINDS["waits"], batch_size=50).fit(days(0, 4))
    made.save(tmp_path / "model")
    made = gw.load(tmp_path / "model")
    # of today, nothing is final for buy; of the days before, what became so
    today = days(4, 5, seen_by=5)
    earlier = days(2, 4)
    made.update(today, ripened=earlier)
    newest = max(today["time"].to_pylist())
    before = max(days(0, 4)["time"].to_pylist())
    times = earlier["time"].to_numpy() + 2 * DAY
    ripened = int(((times > before) & (times <= newest)).sum())
    assert made.rows == {"training": 300 + ripened}
    assert made.until == {"time": newest}
    assert 200 < ripened < 400
    # what was learnt of the other tasks is not learnt again: their labels there change nothing
    flipped = earlier.set_column(2, "click", pa.array(1 - earlier["click"].to_numpy()))
    one, other = (gw.load(tmp_path / "model").update(today, ripened=rows) for rows in (earlier, flipped))
    assert one.predict(today) == other.predict(today)
    none = gw.load(tmp_path / "model").update(today)
    assert none.predict(today)["buy"] != one.predict(today)["buy"]
    with pytest.warns(gw.GatewiseWarning, match=r"ripened: none of its 600 rows has a label that became final since"):
        one.update(today, ripened=earlier)


def test_a_step_that_ripens_is_learnt_with_the_step_before(tmp_path):
    made = ranker(*KINDS["step"]).fit(days(0, 4))
    before = made.predict({"user": [1]})
    made.update(days(4, 5, seen_by=5), ripened=days(2, 4).set_column(3, "buy", pa.array([0] * 600)), lr=0.02, epochs=5)
    assert made.predict({"user": [1]})["buy_given_click"][0].as_py() < 0.8 * before["buy_given_click"][0].as_py()


def test_ripened_needs_a_delay():
    made = ranker(gw.Binary("click"), epochs=1).fit(days(0, 2))
    with pytest.raises(GatewiseError, match="ripened: no task has a delay, so that no label becomes final later"):
        made.update(days(2, 3), ripened=days(0, 2))
    with pytest.raises(GatewiseError, match="now 'today' is the moment for tasks with a delay, and no task has one"):
        made.evaluate(days(2, 3), now="today")


@pytest.mark.parametrize("share", [0.1, "share"])
def test_rates_are_those_before_negatives_were_dropped(share):
    rng = np.random.default_rng(0)
    user = rng.integers(0, 20, 40_000)
    click = rng.random(40_000) < np.where(user % 2, 0.1, 0.03)
    kept = click | (rng.random(40_000) < 0.1)
    table = {"user": user[kept], "click": click[kept].astype(int), "share": np.where(click[kept], 1.0, 0.1)}
    made = ranker(gw.Binary("click", negatives_kept=share), schedule="cosine").fit(table)
    found = made.predict({"user": user})["click"].to_numpy()
    assert found[user % 2 == 1].mean() == pytest.approx(0.1, rel=0.08)
    assert found[user % 2 == 0].mean() == pytest.approx(0.03, rel=0.12)
    assert made.evaluate(table)["click"]["pcoc"] == pytest.approx(1, abs=0.08)
    intervals = made.intervals(table, ["pcoc"], samples=20)["click"]["pcoc"]
    assert intervals.low < 1.05
    assert intervals.high > 0.95
    assert abs(sum(part.share - part.prediction for part in made.reliability(table)["click"])) < 0.2


def test_recipe_and_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rows in {
        "old": days(0, 4),
        "valid": days(0, 4, seed=7),
        "test": days(1, 2, seed=3),
        "today": days(4, 5, seen_by=5),
        "again": days(2, 4),
    }.items():
        pq.write_table(rows, f"{name}.parquet")
    recipe = {
        "data": {"train": "old.parquet", "valid": "valid.parquet", "test": "test.parquet", "now": "2026-05-05"},
        "features": [{"kind": "categorical", "name": "user", "dim": 4}],
        "tasks": [
            {"kind": "binary", "name": "click"},
            {"kind": "binary", "name": "buy", "delay": "2d", "time": "time"},
        ],
        "model": {"kind": "mmoe", "experts": 2, "expert_dims": [8]},
        "training": {"epochs": 1, "batch_size": 64},
        "output": "run",
    }
    Path("recipe.json").write_text(json.dumps(recipe))
    run("train", "recipe.json")
    assert gw.load("run/artefact").until == {"time": FROM + 4 * DAY}
    seen = gw.load("run/artefact").provenance.data
    for part, rows in {"training": days(0, 4), "test": days(1, 2, seed=3)}.items():
        ends = [datetime.datetime.fromtimestamp(each(rows["time"].to_pylist()), datetime.UTC) for each in (min, max)]
        begin, end = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in ends)
        assert (seen[part].time, seen[part].begin, seen[part].end) == ("time", begin, end)
        assert seen[part].rows == len(rows)
    run("update", "run", "today.parquet", "-o", "next", "--ripened", "again.parquet", "--now", "2026-05-06")
    assert re.search(r"rows: \d+ training", capsys.readouterr().out)
    assert gw.load("next/artefact").until == {"time": FROM + 5 * DAY}
    assert gw.load("next/artefact").provenance.data["training"].begin >= "2026-05-05"
    run("evaluate", "next", "again.parquet", "--now", "2026-05-08", "--json")
    assert json.loads(capsys.readouterr().out)["buy"]["auc"] is not None
    by_group = {}
    for option in (["--by", "click"], ["--intervals", "-m", "auc"]):
        for now in ("2026-05-08", "2026-05-05 12:00"):
            run("evaluate", "next", "again.parquet", *option, "--now", now, "--json")
            by_group[option[0], now] = json.loads(capsys.readouterr().out)["buy"]
    assert sum(part["rows"] for part in by_group["--by", "2026-05-08"]) == 600
    assert 0 < sum(part["rows"] for part in by_group["--by", "2026-05-05 12:00"]) < 600
    assert by_group["--intervals", "2026-05-08"] != by_group["--intervals", "2026-05-05 12:00"]
    run("evaluate", "next", "again.parquet", "--now", "someday", code=1)
    assert (
        "now 'someday' for delays by 'time': expected a date, a time or seconds since 1970" in capsys.readouterr().err
    )


def run(*arguments: str, code: int = 0) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gatewise", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code


def test_a_report_reads_labels_at_a_moment(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    rows = days(0, 5, seen_by=5, rows=100)
    made = ranker(*KINDS["waits"], epochs=1).fit(rows, now="2026-05-04")
    made.save(tmp_path / "artefact")
    pq.write_table(rows, tmp_path / "rows.parquet")
    for name, now in {"late": ["--now", "2026-06-01"], "early": ["--now", "2026-05-04"]}.items():
        run("report", str(tmp_path / "artefact"), str(tmp_path / "rows.parquet"), *now, "-o", str(tmp_path / name))
    with pytest.raises(GatewiseError, match="now 'someday' for delays by 'time': expected a date"):
        made.report(tmp_path / "none.html", rows, now="someday")
    labelled = {}
    for name in ("late", "early"):
        (count,) = re.findall(r">buy</td>\s*<td[^>]*>([\d,]+)</td>", (tmp_path / name).read_text())[:1]
        labelled[name] = int(count)
    assert labelled["late"] == 500
    final = int((rows["time"].to_numpy() <= FROM + DAY).sum())
    assert labelled["early"] == final > 0


def test_the_period_of_rows_is_known_where_delays_are_numbers_and_rows_come_once():
    rows = days(0, 3, rows=50)
    number = pa.table({**{name: rows[name] for name in ("user", "buy")}, "day": [None, *range(1, 150)]})
    once = pa.RecordBatchReader.from_batches(number.schema, number.to_batches())
    made = ranker(gw.Binary("buy", delay=2, time="day"), epochs=1).fit(once)
    seen = made.provenance.data["training"]
    assert (seen.time, seen.begin, seen.end, seen.rows) == ("day", "1", "149", 150)
    none = number.set_column(2, "day", pa.array([None] * 149 + [1.5]))
    assert made.update(none).provenance.data["training"].end == "1.5"
