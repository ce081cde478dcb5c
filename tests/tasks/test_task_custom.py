from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.metrics import MAE, R2, mae
from gatewise.tasks import BinaryTask, RegressionTask, Task, register

PAGE = Path(__file__).parents[2] / "docs" / "tasks.md"
TABLE = {"age": [float(i % 7) for i in range(60)], "click": [0, 1] * 30, "dwell": [float(i % 7) for i in range(60)]}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Task]]:
    """Let nothing that a test registers last."""
    kinds: dict[str, type[Task]] = {}
    monkeypatch.setattr("gatewise.tasks.custom._REGISTERED", kinds)
    return kinds


def page() -> dict[str, object]:
    """Run the Python of the page."""
    names: dict[str, object] = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def ranker_of(schema: object) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    return gw.Ranker(schema, model, epochs=30, batch_size=20, lr=0.02).fit(TABLE)


def test_the_kind_of_the_page_is_trained_saved_and_loaded(registered, tmp_path: Path) -> None:
    ranker = ranker_of(page()["schema"])
    task = ranker.scorer.tasks[1]
    assert (type(task).__name__, task.sharpness) == ("LogCosh", 2.0)
    assert (task.mean, task.std) == (pytest.approx(sum(TABLE["dwell"]) / 60), pytest.approx(2.01, abs=0.05))
    metrics = ranker.evaluate(TABLE)
    assert metrics["dwell"]["r2"] > 0.9
    assert set(metrics["dwell"]) == {"mae", "r2"}
    predictions = ranker.predict(TABLE)
    ranker.save(tmp_path / "artefact")
    assert gw.load(tmp_path / "artefact").predict(TABLE) == predictions
    registered.clear()
    message = (
        r"^artefact '.*artefact': task 'dwell': no kind 'log_cosh' is registered \(registered: none\); "
        r"call gatewise\.tasks\.register\('log_cosh', \.\.\.\) with its class first$"
    )
    with pytest.raises(ArtefactError, match=message):
        gw.load(tmp_path / "artefact")


def test_links_of_the_page_lead_to_files_that_are_there() -> None:
    targets = re.findall(r"\]\((?!http|#)([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []


class Unfinished(Task):
    def losses(self, scores, targets):
        return scores - targets


class Unjudged(Unfinished):
    def predict(self, scores):
        return scores.double()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Unfinished, "register 'mine': Unfinished has no predict"),
        (int, "register 'mine': expected a subclass of gatewise.tasks.Task, found <class 'int'>"),
        (RegressionTask("y"), "register 'mine': expected a subclass of gatewise.tasks.Task, found <"),
    ],
)
def test_what_is_no_kind(kind, message) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        register("mine", kind)


@pytest.mark.parametrize(
    ("by", "options", "message"),
    [
        ("regresion", {}, "task 'y': no kind 'regresion' is registered.*; did you mean 'regression'?"),
        ("regression", {"lost": 1}, "task 'y': RegressionTask: got an unexpected keyword argument 'lost'"),
        # a binary task takes neither mean nor deviation
        ("binary", {}, "task 'y': BinaryTask: got an unexpected keyword argument 'mean'"),
        ("unjudged", {}, "task 'y': Unjudged"),
    ],
)
def test_a_task_that_cannot_be_made_is_named_before_a_table_is_read(by, options, message) -> None:
    for name, kind in (("regression", RegressionTask), ("binary", BinaryTask), ("unjudged", Unjudged)):
        register(name, kind)
    schema = gw.Schema(features=[gw.Numeric("age")], tasks=[gw.Custom("y", by=by, options=options)])
    with pytest.raises(DeclarationError, match=message):
        gw.Ranker(schema)


class Shifted(Task):
    """A kind with two scores and two columns, which reads another task's label."""

    metrics = (MAE, R2)
    summary = R2
    num_scores = 2

    def __init__(self, name, weight=1.0, *, within=None, mean, std):
        super().__init__(name, weight, within=within)
        self.mean = mean

    @property
    def initial_bias(self):
        return self.mean, 0.0

    @property
    def columns(self):
        return self.name, f"{self.name} after a click"

    def losses(self, scores, targets):
        return (scores[:, 0] - targets).square()

    def losses_among(self, rows):
        own = rows.scores[self.name]
        return (own[:, 0] + own[:, 1] * rows.targets["click"] - rows.targets[self.name]).square()

    def predict(self, scores):
        return scores.double().cumsum(dim=1)


def test_a_kind_with_several_scores_that_looks_at_another_task() -> None:
    register("shifted", Shifted)
    schema = gw.Schema(features=[gw.Numeric("age")], tasks=[gw.Binary("click"), gw.Custom("dwell", by="shifted")])
    table = TABLE | {"dwell": [2.0 + 5.0 * click for click in TABLE["click"]]}
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    ranker = gw.Ranker(schema, model, epochs=60, batch_size=20, lr=0.05).fit(table)
    predicted = ranker.predict(table)
    assert predicted.column_names == ["click", "dwell", "dwell after a click"]
    assert predicted["dwell"].to_numpy() == pytest.approx(2.0, abs=0.5)
    assert predicted["dwell after a click"].to_numpy() == pytest.approx(7.0, abs=0.5)
    expected = mae(torch.tensor(table["dwell"]), torch.from_numpy(predicted["dwell"].to_numpy().copy()))
    assert ranker.evaluate(table)["dwell"]["mae"] == pytest.approx(expected)


def test_two_tasks_do_not_predict_one_column() -> None:
    register("shifted", Shifted)
    tasks = [gw.Binary("click"), gw.Custom("dwell", by="shifted"), gw.Binary("b", column="click")]
    schema = gw.Schema(features=[gw.Numeric("age")], tasks=[*tasks, gw.Regression("dwell after a click")])
    with pytest.raises(DeclarationError, match="tasks 'dwell' and 'dwell after a click' both predict 'dwell after"):
        gw.Ranker(schema)
