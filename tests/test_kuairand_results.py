"""The script behind the KuaiRand section of docs/results: what LightGBM reads, what is kept, what is written."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.jobs import Tables, find_tables


@pytest.fixture(scope="module")
def results():
    return import_module("kuairand_results")


def test_lightgbm_reads_codes_plain_numbers_and_an_indicator_a_tag(results):
    schema = gw.Schema(
        features=[gw.Categorical("tab"), gw.Numeric("age", transform="quantile"), gw.Sequence("tags")],
        tasks=[gw.Binary("click")],
    )
    train = pa.table({"tab": ["a", "b", "a"], "age": [1, 2, None], "tags": [[7], [8, 7], []], "click": [0, 1, 0]})
    encoder, _ = TableEncoder.fit(schema, train)
    test = pa.table({"tab": ["b", None, "c"], "age": [5.5, None, 1], "tags": [[9, 8], [7], None]})
    columns = results.columns_of(encoder, test)
    assert columns.names == ["tab", "age", "tags_0", "tags_1", "tags_2", "tags_3"]
    assert columns.categories == ["tab"]
    b = encoder.encode(train).ids[1, 0]
    seven, eight = encoder.encode(train).lists[0].values[[0, 1]] - 2
    tags = np.zeros((3, 4))
    tags[0, 0] = tags[0, 2 + eight] = tags[1, 2 + seven] = tags[2, 1] = 1
    expected = np.column_stack([[b, np.nan, 0], [5.5, np.nan, 1], tags])
    np.testing.assert_array_equal(columns.values, expected)
    rest = columns.without(["tab", "tags_0"])
    assert (rest.names, rest.categories) == (["age", "tags_1", "tags_2", "tags_3"], [])
    np.testing.assert_array_equal(rest.values, expected[:, [1, 3, 4, 5]])


def test_a_table_of_means_and_deviations(results):
    cells = {"constant": [[0.5, 0.5], [None, None]], "MMoE": [[0.7, 0.8], [1.0, None]]}
    columns = {name: [results.spread(values) for values in seeds] for name, seeds in cells.items()}
    assert results.metric_table("AUC", ["click", "forward"], columns).splitlines() == [
        "| AUC | click | forward |",
        "| --- | ---: | ---: |",
        "| constant | 0.5000 |  |",
        "| MMoE | 0.7500 ± 0.0707 |  |",
    ]


@pytest.fixture
def recipe(results, shared_data) -> gw.Recipe:
    overrides = [f"data.path={shared_data('kuairand_pure')}", "training.epochs=1"]
    return gw.Recipe.read(results.RECIPE, overrides)


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")  # few rows
def test_the_section_of_a_few_rows(results, recipe: gw.Recipe, tmp_path: Path):
    pytest.importorskip("lightgbm")
    whole = find_tables(recipe, tmp_path)
    few = Tables(*(part.slice(0, 2_000) for part in whole.parts.values()))
    ((found, trees),) = results.compared(recipe, few, 1, tmp_path, samples=20)
    assert list(found.metrics) == ["constant", "LightGBM", "MMoE", "shared bottom", "PLE", "STEM", "single task"]
    sizes = [size for cost in found.cost.values() for size in cost.parameters or []]
    assert max(sizes) < 1.05 * min(sizes)
    text = results.section(recipe, few, found, trees)
    assert text.count("\n| constant |") == 3
    for name, outputs in found.metrics.items():
        assert f"\n| {name} | {outputs['click']['auc'].mean:.4f} |" in text
    change = found.seesaw["MMoE"]["click"]
    assert f"\n| MMoE − LightGBM, 95% | {change.low:+.4f} to {change.high:+.4f} |" in text
