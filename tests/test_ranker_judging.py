"""Judging a ranker: calibrated predictions, slices, reliability, intervals, streams."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, TableError
from sklearn import metrics as sk


@pytest.fixture(scope="module")
def shop() -> pa.Table:
    """Return rows of a shop: users click and buy by the item, with a day and a nullable tab."""
    rng = np.random.default_rng(0)
    rows = 6000
    item = rng.integers(0, 12, rows)
    click = rng.random(rows) < np.linspace(0.1, 0.7, 12)[item]
    buy = click & (rng.random(rows) < np.linspace(0.6, 0.2, 12)[item])
    return pa.table(
        {
            "item": item,
            "user": rng.integers(0, 200, rows),
            "tab": pa.array(
                np.array(["home", "search", "cart"])[rng.integers(0, 3, rows)], mask=rng.random(rows) < 0.1
            ),
            "hour": rng.integers(0, 24, rows),
            "click": pa.array(click.astype(int), mask=rng.random(rows) < 0.05),
            "buy": buy.astype(int),
            "stars": rng.normal(size=rows) + item,
        }
    )


@pytest.fixture(scope="module")
def trained(shop) -> gw.Ranker:
    """Return a ranker fitted once, on rows among which clicks are three times as frequent as among others."""
    schema = gw.Schema(
        features=[gw.Categorical("item", dim=4)],
        tasks=[gw.Binary("click"), gw.Binary("buy", after="click"), gw.Regression("stars")],
        group="user",
    )
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[8]), epochs=2, batch_size=256, lr=0.1)
    rows = shop.slice(0, 2000)
    clicks = rows.filter(pc.equal(pc.fill_null(rows["click"], 0), 1))
    return ranker.fit(pa.concat_tables([rows, clicks, clicks]))


@pytest.fixture
def ranker(trained, tmp_path) -> gw.Ranker:
    """Return a copy that tests may change."""
    trained.save(tmp_path / "copy")
    return gw.load(tmp_path / "copy")


@pytest.mark.parametrize("method", ["auto", "isotonic", "platt"])
def test_evaluate_calibrated_is_the_metrics_of_predict_calibrated(ranker, shop, method):
    held_out = shop.slice(4000)
    before = ranker.evaluate(held_out)
    assert ranker.calibrate(shop.slice(2000, 2000), method) is ranker
    found, plain = ranker.evaluate(held_out, calibrated=True), ranker.evaluate(held_out)
    assert plain == before
    predicted = ranker.predict(held_out, calibrated=True)
    assert predicted.column_names == ranker.predict(held_out).column_names
    click, buy = (held_out[name].to_numpy() for name in ("click", "buy"))
    samples = {
        "click": (~np.isnan(click), click),
        "buy_given_click": (click == 1, buy),
        "click_and_buy": (~np.isnan(click), buy),
    }
    for output, (rows, labels) in samples.items():
        y, p = labels[rows], predicted[output].to_numpy()[rows]
        assert found[output]["auc"] == pytest.approx(sk.roc_auc_score(y, p), abs=1e-6)
        assert found[output]["log_loss"] == pytest.approx(sk.log_loss(y, p), abs=1e-6)
        assert found[output]["pcoc"] == pytest.approx(p.sum() / y.sum(), abs=1e-6)
    assert before["click"]["pcoc"] > 1.3
    assert found["click"]["pcoc"] == pytest.approx(1, abs=0.1)
    assert found["click"]["ece"] < before["click"]["ece"] / 3
    # within groups and as a whole the order stays
    for name in ("auc", "gauc"):
        assert found["click"][name] == pytest.approx(before["click"][name], abs=1e-9)
    assert found["stars"] == before["stars"]


def test_the_joint_probability_stays_exactly_the_product(ranker, shop):
    predicted = ranker.calibrate(shop.slice(2000), "platt").predict(shop, calibrated=True)
    product = predicted["click"].to_numpy() * predicted["buy_given_click"].to_numpy()
    np.testing.assert_array_equal(predicted["click_and_buy"].to_numpy(), product)


def test_named_tasks_alone_and_one_after_the_other(ranker, shop):
    plain = ranker.predict(shop)
    ranker.calibrate(shop, tasks=["buy"])
    found = ranker.predict(shop, calibrated=True)
    assert found["click"] == plain["click"]
    assert found["buy_given_click"] != plain["buy_given_click"]
    ranker.calibrate(method="down_sampling", rate=0.2, tasks=["click"])
    p = plain["click"].to_numpy()
    both = ranker.predict(shop, calibrated=True)
    np.testing.assert_allclose(both["click"].to_numpy(), p / (p + (1 - p) / 0.2))
    assert both["buy_given_click"] == found["buy_given_click"]


def test_it_survives_growth_and_a_fresh_process(ranker, shop, tmp_path):
    ranker.calibrate(shop.slice(2000), "isotonic")
    expected = ranker.predict(shop, calibrated=True)
    ranker.extend_vocabulary({"item": [99, 100]})
    assert ranker.predict(shop, calibrated=True) == expected
    ranker.save(tmp_path / "model")
    pq.write_table(shop, tmp_path / "shop.parquet")
    script = (
        "import sys, gatewise as gw, pyarrow.parquet as pq\n"
        "pq.write_table(gw.load(sys.argv[1]).predict(sys.argv[2], calibrated=True), sys.argv[3])"
    )
    arguments = [tmp_path / "model", tmp_path / "shop.parquet", tmp_path / "out.parquet"]
    subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True)
    assert pq.read_table(tmp_path / "out.parquet") == expected


def test_a_fit_forgets_the_calibration(make_ranker, feed):
    ranker = make_ranker(epochs=1).fit(feed).calibrate(feed)
    assert ranker.calibrated
    assert not ranker.fit(feed, fresh=True).calibrated


def test_what_was_never_calibrated_cannot_be_asked_for(trained, shop):
    for ask in (trained.predict, trained.evaluate, trained.evaluate_stream, trained.intervals, trained.reliability):
        with pytest.raises(gw.GatewiseError, match="not calibrated: call calibrate first"):
            ask(shop, calibrated=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "isotonc"}, DeclarationError, r"Calibration\.method: .* did you mean 'isotonic'\?"),
        ({"tasks": ["clik"]}, DeclarationError, r"'clik' is no binary task; did you mean 'click'\?"),
        ({"tasks": ["stars"]}, DeclarationError, r"'stars' is no binary task \(binary tasks: click, buy\)"),
        ({"tasks": []}, DeclarationError, "expected binary tasks, found none"),
        ({"rate": 0.5}, DeclarationError, "rate belongs to down_sampling, auto learns from labels"),
        ({"method": "down_sampling"}, DeclarationError, "down_sampling needs rate"),
        ({"method": "down_sampling", "rate": 2, "tasks": ["click"]}, DeclarationError, r"Calibration\.rate: .*found 2"),
        (
            {"method": "down_sampling", "rate": 0.5},
            DeclarationError,
            "is by one label, found click, buy: name its task",
        ),
        ({"table": None}, TableError, "auto needs a table with labels, found none"),
    ],
)
def test_a_calibration_that_cannot_work_is_one_line_and_changes_nothing(ranker, shop, options, error, message):
    with pytest.raises(error, match=message) as caught:
        ranker.calibrate(**{"table": shop, **options})
    assert "\n" not in str(caught.value)
    assert not ranker.calibrated


def test_labels_of_one_class_name_the_output(ranker, shop):
    for table, output in ((shop.filter(pc.equal(shop["buy"], 0)), "buy_given_click"), (shop.slice(0, 0), "click")):
        with pytest.raises(TableError, match=f"calibration of '{output}': auto: expected labels of both classes"):
            ranker.calibrate(table)
    assert not ranker.calibrated


# slices


def test_slices_are_what_evaluating_their_rows_gives(trained, shop):
    found = trained.slices(shop, by="tab")
    assert list(found) == ["click", "buy_given_click", "click_and_buy", "stars"]
    assert {part.value for part in found["click"]} == {"home", "search", "cart", "(null)"}
    for value, rows in (("home", pc.equal(shop["tab"], "home")), ("(null)", pc.is_null(shop["tab"]))):
        table = shop.filter(rows)
        expected = trained.evaluate(table)
        for output, parts in found.items():
            (part,) = [part for part in parts if part.value == value]
            assert part.metrics == pytest.approx(expected[output], abs=1e-6)
        assert [part.rows for part in found["click"] if part.value == value] == [len(table) - table["click"].null_count]


def test_slices_of_several_columns_from_a_file_that_need_not_be_features(trained, shop, tmp_path):
    pq.write_table(shop, tmp_path / "shop.parquet")
    found = trained.slices(tmp_path / "shop.parquet", ["hour", "item"], ["auc"], bins=4, limit=3)["click"]
    assert [part.value for part in found if part.column == "hour"] == ["0 to 5", "6 to 11", "12 to 17", "18 to 23"]
    # the values of a categorical feature are names
    assert [part.column for part in found].count("item") == 4
    assert found[-1].value == "(other)"
    assert found == trained.slices(shop, ["hour", "item"], ["auc"], bins=4, limit=3)["click"]


def test_a_table_that_can_be_read_once_is_sliced(trained, shop):
    stream = pa.RecordBatchReader.from_batches(shop.schema, shop.to_batches())
    assert trained.slices(stream, "tab") == trained.slices(shop, "tab")


def test_an_unknown_column_is_told_before_anything_is_predicted(trained, shop, tmp_path):
    pq.write_table(shop, tmp_path / "shop.parquet")
    for table in (shop, tmp_path / "shop.parquet"):
        with pytest.raises(TableError, match="slices: the table has no column 'tabs'; did you mean 'tab'"):
            trained.slices(table, "tabs")


# reliability, intervals, streams


def test_reliability_of_calibrated_probabilities(ranker, shop):
    ranker.calibrate(shop.slice(2000, 2000), "platt")
    held_out = shop.slice(4000)

    def gap(**options):
        parts = ranker.reliability(held_out, bins=5, **options)["click"]
        return max(abs(part.prediction - part.share) for part in parts)

    assert gap(calibrated=True) < gap() / 2
    by_tab = ranker.reliability(held_out, bins=2, by="tab")
    assert {part.value for part in by_tab["buy_given_click"]} == {"home", "search", "cart", "(null)"}


def test_intervals_hold_the_estimates_of_evaluate(trained, shop):
    table = shop.slice(5000)
    found, values = trained.intervals(table, ["auc", "rmse", "gauc"], samples=50), trained.evaluate(table)
    assert {output: list(estimates) for output, estimates in found.items()} == {
        "click": ["auc", "gauc"],
        "buy_given_click": ["auc", "gauc"],
        "click_and_buy": ["auc", "gauc"],
        "stars": ["rmse"],
    }
    for output, estimates in found.items():
        for name, estimate in estimates.items():
            assert estimate.value == values[output][name]
            assert estimate.low < estimate.value < estimate.high


def test_a_stream_gives_what_the_whole_table_gives(ranker, shop, tmp_path):
    ranker.calibrate(shop.slice(2000, 2000), "platt")
    many = pa.concat_tables([shop] * 12)
    pq.write_table(many, tmp_path / "many.parquet")
    for calibrated in (False, True):
        found = ranker.evaluate_stream(tmp_path / "many.parquet", calibrated=calibrated)
        expected = ranker.evaluate(shop, calibrated=calibrated)
        assert found.rows == len(many)
        for output, values in found.metrics.items():
            for name, value in values.items():
                assert value == pytest.approx(expected[output][name], abs=1e-2 if name == "ece" else 1e-5), name
    assert "gauc" in found.left_out["click"]
    assert found.left_out["stars"] == ("spearman",)
