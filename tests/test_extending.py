"""Parts of one's own, as docs/extending.md shows them: its examples run, and what they make is an artefact."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import commands
import gatewise as gw
from gatewise import declare
from gatewise.errors import DeclarationError
from gatewise.own_kinds import DOORS, register

PAGE = Path(__file__).resolve().parent.parent / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
MODEL = {
    "trunk": {"model": {"kind": "task_tokens", "width": 8}},
    "expert": {"model": {"kind": "mmoe", "experts": [{"kind": "sliding_window", "width": 4, "count": 2}]}},
    "gate": {
        "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4], "gate": {"kind": "self_attention", "tokens": 2}}
    },
    "interaction": {"model": {"kind": "mmoe", "experts": 2, "expert_dims": [4], "interaction": "with_products"}},
    "balance": {"balance": {"kind": "hardest_first", "sharpness": 0.5}},
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's examples as the module ``my_parts``, which is imported here."""
    folder = tmp_path_factory.mktemp("parts")
    lines = [re.sub(r"^print\(.*", "", block, flags=re.MULTILINE) for block in BLOCKS]
    kept = [re.sub(r"^[^@#\s][^\n]*gw\.Ranker\(.*$", "", block, flags=re.MULTILINE) for block in lines]
    (folder / "my_parts.py").write_text("\n".join(kept), encoding="utf-8")
    sys.path.insert(0, str(folder))
    import my_parts  # noqa: F401

    return folder


def test_every_example_runs_and_prints_what_it_says() -> None:
    names: dict[str, object] = {"__name__": "extending"}
    sys.modules["extending"] = type(sys)("extending")
    seen = set()
    for block in BLOCKS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, str(PAGE), "exec"), names)
        assert printed.getvalue().splitlines() == re.findall(r"^print\(.*\)  # (.*)$", block, re.MULTILINE)
        seen |= {door for door in DOORS for made in declare.registered(door).values() if made.__module__ == "extending"}
    assert seen == set(DOORS)


def schema_of(place: str) -> gw.Schema:
    pooling = {"kind": "newest_first", "factor": 0.8} if place == "pooling" else "mean"
    click = gw.Binary("click", metrics=["share_above"] if place == "metric" else ())
    stars = declare.registered("task")["log_cosh"]("stars", scale=2.0) if place == "task" else gw.Regression("stars")
    features = [gw.Categorical("user", dim=4), gw.Sequence("tags", dim=4, pooling=pooling), gw.Numeric("price")]
    return gw.Schema(features=features, tasks=[click, stars])


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
def test_every_part_is_saved_as_data_and_loaded_where_it_is_imported(
    parts: Path, tmp_path: Path, feed: pa.Table
) -> None:
    rows = feed.slice(0, 200)
    pq.write_table(rows, tmp_path / "rows.parquet")
    places = ["trunk", "expert", "gate", "interaction", "pooling", "task", "metric", "balance"]
    for place in places:
        ranker = gw.Ranker(schema_of(place), **MODEL.get(place, {}), epochs=1, callbacks=["losses_kept"]).fit(rows)
        ranker.save(tmp_path / place)
        assert gw.load(tmp_path / place).options == ranker.options
        # a graph of it predicts the same
        ranker.export_onnx(tmp_path / f"{place}.onnx", check=rows.slice(0, 20))
        np.save(tmp_path / f"{place}.npy", ranker.predict(rows)["click"].to_numpy())
    script = f"""
import sys
import numpy as np
import gatewise as gw
from gatewise.errors import ArtefactError
for place in {places!r}:
    try:
        gw.load(place)
        raise SystemExit(place + " was loaded")
    except ArtefactError as error:
        assert "which is not registered: import my_parts first" in str(error), error
import my_parts
for place in {places!r}:
    found = gw.load(place).predict("rows.parquet")["click"].to_numpy()
    np.testing.assert_allclose(found, np.load(place + ".npy"), atol=1e-6)
"""
    environment = os.environ | {"PYTHONPATH": str(parts)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


RECIPE = """
data: {table: rows.parquet, split: {seed: 0, valid: 0.2, test: 0.2}}
features: [{kind: categorical, name: user, dim: 4}, {kind: numeric, name: price}]
tasks: [{kind: binary, name: click}, {kind: log_cosh, name: stars, scale: 0.5}]
model: {kind: task_tokens, width: 8}
training: {epochs: 1, callbacks: [losses_kept]}
output: run
"""


def test_the_command_line_imports_them(parts: Path, tmp_path: Path, feed: pa.Table) -> None:
    pq.write_table(feed.slice(0, 300), tmp_path / "rows.parquet")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "my_parts.py").write_text((parts / "my_parts.py").read_text())

    # processes in whose path the working directory is not
    gatewise = partial(commands.run, cwd=tmp_path)
    unknown = gatewise("train", "recipe.yaml")
    assert unknown.returncode == 1
    assert "kinds of one's own are registered by importing their module first" in unknown.stderr
    wrong = gatewise("--import", "my_parts", "train", "recipe.yaml", "--set", "model.widht=4")
    assert "widht: unknown option; did you mean 'width'?" in wrong.stderr
    missing = gatewise("--import", "no_parts", "train", "recipe.yaml")
    assert missing.stderr.strip() == "error: --import no_parts: ModuleNotFoundError: No module named 'no_parts'"
    done = gatewise("--import", "my_parts", "train", "recipe.yaml", "--set", "model.width=4")
    assert done.returncode == 0, done.stderr
    # the trainings of a comparison are processes of their own
    compared = gatewise("--import", "my_parts", "compare", "recipe.yaml", "--seeds", "1", "-o", "compared")
    assert compared.returncode == 0, compared.stderr


class Lacking:
    pass


class Untyped:
    def __init__(self, input_dim: int, width=3) -> None: ...

    def forward(self) -> None: ...


@pytest.mark.parametrize(
    ("place", "cls", "expected"),
    [
        (None, Lacking, "nothing says what Lacking is: give register(kind, place) one of trunk, expert"),
        ("expert", Lacking, "Lacking has no 'forward'; place 'expert' needs it"),
        ("expert", Untyped, "argument 'width' of its constructor has no type"),
        ("gate", Untyped, "its constructor takes no 'num_gates'"),
        ("thing", Untyped, "expected one of trunk, expert, gate"),
    ],
)
def test_what_does_not_fit_is_one_line(place: str | None, cls: type, expected: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(expected)):
        register("misfit", place)(cls)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [["mlp"], {"a": 1}, 3, None])
def test_a_kind_that_is_no_text_is_one_line(kind: object) -> None:
    with pytest.raises(DeclarationError, match=r"MMoE\.experts\[0\]"):
        gw.MMoE(experts=[{"kind": kind, "dims": [4]}])


@pytest.mark.parametrize(
    ("place", "kind"), [("trunk", "mmoe"), ("expert", "mlp"), ("gate", "softmax"), ("pooling", "gru")]
)
def test_built_in_kinds_keep_their_names(place: str, kind: str) -> None:
    with pytest.raises(DeclarationError, match=f"register {kind!r}: it is a built-in {place}, take another name"):
        declare.register_kind(place, kind, Untyped, declare.Interaction, ())
