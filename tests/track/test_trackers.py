"""What trackers recorded is read back with the libraries' own readers."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.declare import Recipe, from_dict
from gatewise.errors import ArtefactError, DeclarationError, GatewiseError, GatewiseWarning
from gatewise.jobs import Tables, train_recipe
from gatewise.track import MLflow, TensorBoard, Tracker, trackers_of
from gatewise.track.mlflow_model import Predicting, save_mlflow_model
from gatewise.training import Reporters

RECIPE: dict[str, Any] = {
    "data": {"train": "train.parquet"},
    "features": [{"kind": "categorical", "name": "user", "dim": 4}, {"kind": "numeric", "name": "price"}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4], "tower_dims": [4]},
    "training": {"epochs": 2, "batch_size": 200, "lr": 0.02},
}
TABLE = {"user": [1, 2] * 50, "click": [0, 1] * 50}
SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
SMALL = {"batch_size": 50, "lr": 0.01}


class Tracked(NamedTuple):
    folder: Path
    uri: str
    ranker: gw.Ranker
    test: pa.Table
    run_id: str


@contextmanager
def without_warnings() -> Iterator[None]:
    """MLflow's own reading warns of SQLAlchemy's future."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory, since MLflow writes its artefacts there."""
    folder = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch, without_warnings():
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def tracked(feed: pa.Table, place: Path) -> Tracked:
    uri = f"sqlite:///{place / 'mlflow.db'}"
    recipe = from_dict(Recipe, {**RECIPE, "track": {"tensorboard": str(place / "board"), "mlflow": uri}})
    told = trackers_of(recipe)
    tables = Tables(feed.slice(0, 1400), feed.slice(1400, 300), feed.slice(1700))
    ranker = train_recipe(recipe, tables, place / "first", callbacks=told)
    report = place / "report.html"
    report.write_text("<p>the report</p>")
    Reporters(told).on_report(report)
    assert not any(tracker.failed for tracker in told)
    run_id = next(tracker.run_id for tracker in told if isinstance(tracker, MLflow))
    return Tracked(place, uri, ranker, tables.test, run_id)


def test_tensorboard_reads_every_figure(tracked: Tracked) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tracked.folder / "board" / "first"))
    events.Reload()
    for record in tracked.ranker.history:
        for part, by_task in (("train", record.train), ("valid", record.valid)):
            for task, values in by_task.items():
                for name, value in values.items():
                    found = {each.step: each.value for each in events.Scalars(f"{part}/{task}/{name}")}
                    assert found[record.epoch] == pytest.approx(value, rel=1e-5)
        gate = record.gates["click"]
        assert events.Scalars("gates/click/entropy")[record.epoch - 1].value == pytest.approx(gate["entropy"], rel=1e-5)
        assert events.Scalars("gates/click/expert_1")[record.epoch - 1].value == pytest.approx(
            gate["weights"][1], rel=1e-5
        )
    assert [each.value for each in events.Scalars("lr")] == pytest.approx([0.02, 0.02])
    auc = tracked.ranker.metrics["test"]["click"]["auc"]
    assert events.Scalars("final/test/click/auc")[0].value == pytest.approx(auc)
    texts = {name: events.Tensors(f"{name}/text_summary")[0].tensor_proto.string_val[0].decode() for name in TEXTS}
    assert "| training.lr | 0.02 |" in texts["options"]
    assert "| data.train | train.parquet |" in texts["options"]
    assert texts["model"] == str(tracked.folder / "first" / "artefact")
    assert texts["report"] == str(tracked.folder / "report.html")
    assert texts["end"] == "all epochs done"


TEXTS = ("options", "model", "report", "end")


def test_mlflow_reads_every_figure(tracked: Tracked) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracked.uri)
    run = client.get_run(tracked.run_id)
    assert client.get_experiment(run.info.experiment_id).name == "gatewise"
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    # what is auto stands there as what it became
    expected = {"training.lr": "0.02", "training.patience": "3", "model.kind": "mmoe", "model.expert_dims": "[4]"}
    assert {name: run.data.params[name] for name in expected} == expected
    assert (run.data.params["rows.training"], run.data.params["data.train"]) == ("1400", "train.parquet")
    assert run.data.tags["gatewise.model"] == str(tracked.folder / "first" / "artefact")
    for name, of in (("valid/click/auc", "valid"), ("train/stars/loss", "train")):
        _, task, metric = name.split("/")
        found = {each.step: each.value for each in client.get_metric_history(tracked.run_id, name)}
        assert found == {record.epoch: getattr(record, of)[task][metric] for record in tracked.ranker.history}
    assert run.data.metrics["final/test/click/auc"] == tracked.ranker.metrics["test"]["click"]["auc"]
    assert {each.path for each in client.list_artifacts(tracked.run_id)} == {"model", "report.html"}


READING = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
table = pandas.read_parquet("test.parquet")
print(json.dumps([model.predict(table).to_dict("list"), model.get_raw_model().schema.tasks[0].name]))
"""


def test_a_fresh_process_predicts_with_the_recorded_model(tracked: Tracked) -> None:
    tracked.test.to_pandas().to_parquet(tracked.folder / "test.parquet")
    command = [sys.executable, "-c", READING, tracked.uri, f"runs:/{tracked.run_id}/model"]
    done = subprocess.run(command, cwd=tracked.folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    found, task = json.loads(done.stdout.splitlines()[-1])
    assert task == "click"
    expected = tracked.ranker.predict(tracked.test)
    assert list(found) == expected.column_names
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name].to_numpy(), rtol=1e-6)


def test_a_saved_model_is_data_and_takes_calibrated(tracked: Tracked, tmp_path: Path) -> None:
    import mlflow.pyfunc

    ranker = gw.load(tracked.folder / "first" / "artefact").calibrate(method="down_sampling", rate=0.5)
    save_mlflow_model(ranker, tmp_path / "model")
    assert not list((tmp_path / "model").rglob("*.pkl"))
    model, rows = mlflow.pyfunc.load_model(str(tmp_path / "model")), tracked.test.to_pandas().iloc[5:9]
    for calibrated in (False, True):
        found = model.predict(rows, params={"calibrated": calibrated})
        assert list(found.index) == [5, 6, 7, 8]
        expected = ranker.predict(tracked.test, calibrated=calibrated).slice(5, 4)
        np.testing.assert_allclose(found["click"], expected["click"].to_numpy(), rtol=1e-6)
    with pytest.raises(ArtefactError, match="it exists"):
        save_mlflow_model(ranker, tmp_path / "model")
    with pytest.raises(DeclarationError, match="did you mean 'calibrated'"):
        Predicting(ranker).predict(rows, {"calibrate": True})


def test_an_active_run_is_taken_and_a_resumed_training_goes_on_in_its_own(tracked: Tracked) -> None:
    import mlflow

    mlflow.set_tracking_uri(tracked.uri)
    with mlflow.start_run() as active:
        told = MLflow()
        gw.Ranker(SCHEMA, "mmoe", epochs=1, **SMALL).fit(TABLE, callbacks=[told])
        assert told.run_id == active.info.run_id
        assert mlflow.active_run() is not None
    runs = []
    for epochs, resume in ((1, False), (2, True), (1, False)):
        told = MLflow(tracked.uri, experiment="others")
        ranker = gw.Ranker(SCHEMA, "mmoe", epochs=epochs, **SMALL)
        ranker.fit(TABLE, run_dir=tracked.folder / "again", callbacks=[told], resume=resume, overwrite=not resume)
        runs.append(told.run_id)
    assert runs[0] == runs[1] != runs[2]
    steps = [each.step for each in mlflow.MlflowClient().get_metric_history(runs[0], "train/click/loss")]
    assert steps == [1, 2]


def test_an_earlier_training_in_the_folder_is_hidden(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for epochs in (3, 1):
        told = TensorBoard(tmp_path, run="here")
        gw.Ranker(SCHEMA, "mmoe", epochs=epochs, **SMALL).fit(TABLE, callbacks=[told])
    events = EventAccumulator(str(tmp_path / "here"))
    events.Reload()
    assert [each.step for each in events.Scalars("train/click/loss")] == [1]


def test_a_tracker_that_fails_warns_once_and_the_training_goes_on(place: Path) -> None:
    told = MLflow("http://127.0.0.1:9")
    ranker = gw.Ranker(SCHEMA, "mmoe", epochs=2, **SMALL)
    with pytest.warns(GatewiseWarning) as warned:
        ranker.fit(TABLE, callbacks=[told])
    assert [str(each.message)[:65] for each in warned] == [
        "mlflow records nothing more of this training, which goes on: API "
    ]
    assert told.failed
    assert len(ranker.history) == 2


def test_ctrl_c_is_not_taken_for_a_failure() -> None:
    class Interrupting(Tracker):
        def epoch(self, record: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gw.Ranker(SCHEMA, "mmoe", epochs=2, **SMALL).fit(TABLE, callbacks=[Interrupting()])


@pytest.mark.parametrize(
    ("track", "message"),
    [
        ({"tensorbord": "x"}, r"Recipe.track.tensorbord: unknown option; did you mean 'tensorboard'\?"),
        ({"mlflow": {"experimnt": "x"}}, r"Recipe.track.mlflow.experimnt: unknown option; did you mean 'experiment'\?"),
        ({"wandb": {"mode": "off"}}, r"Recipe.track.wandb.mode: expected 'online' or 'offline', found 'off'"),
        ({}, r"Recipe.track: expected one of tensorboard, mlflow and wandb, found none"),
        ({"tensorboard": ""}, r"Recipe.track.tensorboard.folder"),
    ],
)
def test_a_mistake_is_named_by_its_path(track: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        from_dict(Recipe, {**RECIPE, "track": track})


def test_without_the_package_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    for track, line in (
        ({"wandb": "feed"}, "pip install wandb"),
        ({"mlflow": {}}, r"pip install 'gatewise\[track\]'"),
        ({"tensorboard": "x"}, r"pip install 'gatewise\[track\]'"),
    ):
        recipe = from_dict(Recipe, {**RECIPE, "track": track})
        with pytest.raises(GatewiseError, match=line):
            trackers_of(recipe)
