"""Rows of PostgreSQL, DuckDB and SQLite."""

from __future__ import annotations

import copy
import pickle
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import uuid

import duckdb
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import column_names, extent_of, identity_of, read_table, readable, stream_table
from gatewise.errors import MissingExtraError, TableError

SCHEMA = gw.Schema(features=[gw.Categorical("user"), gw.Numeric("age")], tasks=[gw.Binary("click")])
TABLE = pa.table({"user": [1, 2, 3, 1] * 25, "age": [0.5, 1.0, None, 2.0] * 25, "click": [0, 1, 1, 0] * 25})
HOW = {"epochs": 1, "batch_size": 20, "lr": 0.01, "progress": False}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Nothing stays in the folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.glob("*gatewise*"))


@pytest.fixture
def databases(tmp_path, postgresql, password):
    """The same table in three databases, by kind."""
    import adbc_driver_postgresql.dbapi

    with adbc_driver_postgresql.dbapi.connect(postgresql.uri) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("visits", TABLE, mode="replace")
        connection.commit()
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.register("given", TABLE)
        connection.execute("create table visits as select * from given")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute('create table visits ("user" integer, age real, click integer)')
        rows = zip(*(column.to_pylist() for column in TABLE.columns), strict=True)
        connection.executemany("insert into visits values (?, ?, ?)", rows)
    connection.close()
    return {
        "postgresql": postgresql.uri,
        "duckdb": f"duckdb:///{tmp_path / 'a.duckdb'}",
        "sqlite": f"sqlite:///{tmp_path / 'a.db'}",
    }


def error_of(source, columns=None):
    with pytest.raises(TableError) as caught:
        read_table(source, columns)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_query_trains_and_predicts_as_its_table_does(databases):
    def fitted(table):
        ranker = gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, batch_size=20, lr=0.01, seed=1)
        ranker.fit(table, progress=False)
        return ranker

    expected = fitted(TABLE)
    for kind, uri in databases.items():
        rows = gw.sql(uri, 'select "user", age, click from visits')
        assert read_table(rows)["click"].to_pylist() == TABLE["click"].to_pylist(), kind
        assert fitted(rows).predict(rows).equals(expected.predict(TABLE)), kind
        assert expected.evaluate(rows) == expected.evaluate(TABLE)
        assert expected.evaluate_stream(rows).rows == 100
        rows.close()


def test_a_query_runs_once_and_its_rows_are_gone_afterwards(tmp_path, temporary):
    path = tmp_path / "a.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table t as select range as a from range(200000)")
    rows = gw.sql(f"duckdb:///{path}", "select a, random() as drawn from t where a >= ?", [10])
    assert not list(temporary.iterdir())
    first = read_table(rows, ["drawn"])
    [folder] = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert first.num_rows == extent_of(rows).rows == 199_990
    assert extent_of(rows, ["a"]).bytes == extent_of(rows).bytes // 2
    assert readable(rows) is rows
    assert column_names(rows) == ["a", "drawn"]
    assert pa.concat_tables(stream_table(rows, ["drawn"], rows=1000)).equals(first)
    before = identity_of(rows)
    rows.close()
    assert not list(temporary.iterdir())
    assert identity_of(rows) != before
    del rows
    assert not list(temporary.iterdir())


def test_a_query_without_rows_is_a_table_without_rows():
    rows = gw.sql("duckdb://", "select 1 as a where false")
    assert read_table(rows).num_rows == 0
    [piece] = stream_table(rows, ["a"])
    assert piece.schema.names == ["a"]
    rows.close()


def test_types_of_postgresql(postgresql, password):
    query = """select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as key, 1.5::numeric as price, 7::smallint as n,
        array[1.5]::numeric[] as prices, '{"a": 1}'::jsonb as j, null::int as nothing"""
    rows = gw.sql(postgresql.uri, query)
    found = read_table(rows, ["key", "n", "j", "nothing"])
    assert found["key"].to_pylist() == [uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]
    for name in ("price", "prices"):
        told = f"column {name!r} has the type NUMERIC of PostgreSQL, which Arrow does not know: cast it in the query"
        assert f"{told}, such as {name}::float8" in error_of(rows, [name])
    schema = gw.Schema(features=[gw.Categorical("key")], tasks=[gw.Binary("click")])
    keys = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || (g % 3)"
    train = gw.sql(postgresql.uri, f"select ({keys})::uuid as key, g % 2 as click from generate_series(1, $1) g", [30])
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), **{k: v for k, v in HOW.items() if k != "progress"})
    ranker.fit(train, progress=False)
    assert ranker.scorer.encoder.vocabularies["key"].rows == 5
    rows.close()
    train.close()


def test_what_a_database_refuses_is_one_line_with_the_nearest_name(databases, postgresql, tmp_path):
    cases = [
        (postgresql.uri, "select usr from visits", 'column "usr" does not exist; Perhaps you meant'),
        (postgresql.uri, "select * frm visits", 'syntax error at or near "frm"'),
        (postgresql.uri, "select 1 / (click - click) from visits", "division by zero"),
        (postgresql.uri, "create table x (a int)", "gave no columns"),
        (postgresql.uri, " ", "is empty, expected a statement"),
        (postgresql.uri.replace("/postgres", "/nope"), "select 1", 'database "nope" does not exist'),
        ("postgresql://x@127.0.0.1:1/y", "select 1", "Connection refused"),
        (databases["duckdb"], "select usr from visits", 'Referenced column "usr" not found'),
        (databases["sqlite"], "select usr from visits", "no such column: usr"),
        (databases["sqlite"].replace("a.db", "b.db"), "select 1", "does not exist; did you mean 'a.db'?"),
        ("sqlite:///nope/x.db", "select 1", "an absolute path has four slashes"),
        ("sqlite://x.db", "select 1", "expected three slashes before a file"),
        ("postgresq://h/x", "select 1", "did you mean 'postgresql'?"),
    ]
    for uri, query, message in cases:
        assert message in error_of(gw.sql(uri, query)), (uri, query)


def test_a_password_stands_nowhere(postgresql, password, capsys):
    place = postgresql.uri.removeprefix("postgresql://gatewise@")
    for uri in (
        f"postgresql://gatewise:gehe%69m@{place}",
        f"postgresql://gatewise@{place}?password=geheim",
        "s3://key:geheim@bucket/x",
    ):
        rows = gw.sql(uri, "select 1")
        said = [repr(rows), rows.shown, error_of(rows), str(pickle.dumps(rows)), error_of(uri)]
        said.append(str(copy.copy(rows).__dict__))
        for text in said:
            assert "geheim" not in text, text
            assert "gehe%69m" not in text, text
        with pytest.raises(gw.GatewiseError, match=r"holds a password or a key: .* PGPASSWORD") as caught:
            gw.declare.from_dict(gw.declare.Data, {"train": {"sql": uri, "query": "select 1"}})
        assert "geheim" not in str(caught.value)


def test_a_server_that_stops_in_mid_query_is_one_line_and_leaves_nothing(postgresql, password, temporary):
    stopped = threading.Timer(0.5, postgresql.stop, [signal.SIGQUIT])
    stopped.start()
    try:
        found = error_of(gw.sql(postgresql.uri, "select g, md5(g::text) from generate_series(1, 100000000) g"))
    finally:
        stopped.join()
        postgresql.start()
    assert found.startswith(f"query on {postgresql.uri!r}: ")
    assert not list(temporary.iterdir())
    rows = gw.sql(postgresql.uri, "select 1 as a")
    assert read_table(rows).num_rows == 1
    rows.close()


def test_a_driver_that_is_missing_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(MissingExtraError, match=r"gatewise\[sql\]"):
        read_table(gw.sql("postgresql://host/db", "select 1"))


def test_a_forked_child_leaves_the_rows_and_the_next_process_removes_those_of_a_killed_one(temporary):
    code = f"""
import os, signal, tempfile
tempfile.tempdir = {str(temporary)!r}
import gatewise as gw
from gatewise.data import read_table

rows = gw.sql("duckdb://", "select 1 as a")
read_table(rows)
child = os.fork()
if not child:
    raise SystemExit
os.waitpid(child, 0)
assert len(os.listdir(tempfile.tempdir)) == 1
assert read_table(rows).num_rows == 1
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == -signal.SIGKILL
    [left] = temporary.glob("*gatewise*")
    rows = gw.sql("duckdb://", "select 2 as a")
    assert read_table(rows)["a"].to_pylist() == [2]
    assert not left.exists()
    rows.close()
