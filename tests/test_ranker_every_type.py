"""Whatever type a column has, every method of a ranker gives an answer or one line that names who asked."""

from __future__ import annotations

import warnings

import pyarrow as pa
import pytest

import gatewise as gw
from every_type import BITS, COLUMNS, ROWS, TEXTS, WHOLE
from gatewise.report.collect import on_table

FEATURES = {
    "categorical of text": (gw.Categorical("x", dim=2), TEXTS),
    "categorical of integers": (gw.Categorical("x", dim=2), WHOLE),
    "numeric": (gw.Numeric("x"), WHOLE),
    "sequence": (gw.Sequence("x", dim=2), [[text] for text in TEXTS]),
    "vector": (gw.Vector("x", size=2), [None if value is None else [value, 1.0] for value in WHOLE]),
}
FEW = [
    "string_view",
    "uint64",
    "decimal128(38, 0)",
    "date32[day]",
    "dictionary of string_view",
    "bool8",
    "timestamp[s]",
]
FEW += [
    "float16",
    "runs of string_view",
    "list 0 of string_view",
    "list 2 of int64",
    "uuid",
    "null",
    "structure of int8",
]


def table_with(column) -> pa.Table:
    others = {"other": [float(row) for row in range(ROWS)], "click": [0 if bit is None else bit for bit in BITS]}
    return pa.table({"x": column, **others})


@pytest.fixture(scope="module")
def rankers() -> dict[str, gw.Ranker]:
    """Return one fitted ranker for each kind of feature."""
    found = {}
    for name, (feature, values) in FEATURES.items():
        schema = gw.Schema(features=[feature, gw.Numeric("other")], tasks=[gw.Binary("click")])
        model = gw.MMoE(experts=2, expert_dims=[2], tower_dims=[2])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = gw.Ranker(schema, model, epochs=1, batch_size=8).fit(table_with(pa.array(values)))
    return found


def problems_of(calls, names=("'x'",)) -> dict[str, str]:
    """Return what is neither an answer nor one line that names the column, by the name of the call."""
    found = {}
    for name, call in calls.items():
        try:
            call()
        except gw.GatewiseError as error:
            if "\n" in str(error) or not any(each in str(error) for each in names):
                found[name] = str(error)
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.parametrize("kind", FEATURES)
def test_a_table_of_any_type_is_predicted_or_refused_in_one_line(rankers, kind):
    ranker = rankers[kind]
    tables = {name: table_with(column) for name, column in COLUMNS.items()}
    assert not problems_of({name: lambda table=table: ranker.predict(table) for name, table in tables.items()})


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_column_of_any_type_cuts_a_table_or_is_refused_in_one_line(rankers):
    ranker = rankers["categorical of text"]
    known = pa.array(TEXTS)
    tables = {name: table_with(known).append_column("by", column) for name, column in COLUMNS.items()}
    by = {name: lambda table=table: ranker._cut(table, ["by", "rows of by"], 3, 4) for name, table in tables.items()}
    assert not problems_of(by, ["'by'", "'rows of by'"])


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("kind", ["categorical of text", "numeric"])
def test_every_method_takes_a_table_of_a_few_types_or_refuses_it_in_one_line(rankers, kind, name):
    ranker, table = rankers[kind], table_with(COLUMNS[name])
    calls = {
        "evaluate": lambda: ranker.evaluate(table),
        "evaluate_stream": lambda: ranker.evaluate_stream(table),
        "slices": lambda: ranker.slices(table, "x"),
        "gate_usage": lambda: ranker.gate_usage(table, "x"),
        "reliability": lambda: ranker.reliability(table, by="x", bins=2),
        "explain": lambda: ranker.explain(2, table, draws=2),
        "explain a null": lambda: ranker.explain(3, table, draws=2),
        "explain values": lambda: ranker.explain({"x": "v1" if "text" in kind else 1, "other": 1}, table, draws=2),
        "feature_importance": lambda: ranker.feature_importance(table, repeats=1),
        "problems": lambda: ranker.problems(table),
    }
    assert not problems_of(calls)


@pytest.mark.parametrize("name", ["string_view", "dictionary of string_view", "json", "runs of string"])
def test_a_report_looks_at_a_table_of_unusual_types(rankers, name):
    table = table_with(COLUMNS[name])
    found = on_table(rankers["categorical of text"].scorer, table, ["x", "other"], lambda _: None)
    assert found.columns == ["x", "other"]
