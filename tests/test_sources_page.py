"""Everything on the page about sources runs: Python, recipes and commands, with a real bucket and a real database."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.cli import main
from gatewise.data import Query, extent_of
from gatewise.declare import from_dict, read_yaml
from gatewise.jobs.tables import find_tables

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "sources.md").read_text(encoding="utf-8")
PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
DATABASE = "postgresql://me@db.example.org/shop"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_block_runs_and_prints_what_it_says(tmp_path, monkeypatch, s3, postgresql, password, capsys):
    import adbc_driver_postgresql.dbapi

    monkeypatch.chdir(tmp_path)
    s3.create_dir("bucket")
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks("python"):
        if "postgresql" in block:
            with adbc_driver_postgresql.dbapi.connect(postgresql.uri) as connection, connection.cursor() as cursor:
                cursor.adbc_ingest("visits", names["visits"], mode="replace")
                connection.commit()
        if "s3://" in block:
            # a user writes files with any tool
            with s3.open_output_stream("bucket/day/part-0.parquet") as stream:
                pq.write_table(names["visits"], stream)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.replace(DATABASE, postgresql.uri), "sources.md", "exec"), names)
        assert printed.getvalue().splitlines() == PRINTED.findall(block)
    names["rows"].close()
    names["ranker"].save("model")
    counts = []
    for block in blocks("yaml"):
        data = read_yaml(block.replace(DATABASE, postgresql.uri), "sources.md")
        rest = {"features": [{"kind": "categorical", "name": "user"}], "tasks": [{"kind": "binary", "name": "click"}]}
        tables = find_tables(from_dict(gw.Recipe, {"data": data, **rest}), tmp_path)
        counts.append(extent_of(tables.train).rows)
        if isinstance(tables.train, Query):
            tables.train.close()
    assert counts == [100, 100]
    for command in "".join(blocks("bash")).splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(command.replace(DATABASE, postgresql.uri)))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code, command
    assert "auc" in capsys.readouterr().out
    assert ds.dataset("scores").schema.names == ["user", "day", "click"]
    s3.delete_dir_contents("bucket")
