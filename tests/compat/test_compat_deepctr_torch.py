"""Workflows of DeepCTR-Torch run with their imports changed."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import deepctr_torch.callbacks
import deepctr_torch.inputs
import deepctr_torch.models
import deepctr_torch.models.basemodel
import moving_layouts as layouts
import numpy as np
import pandas as pd
import pytest
import torch

import gatewise as gw
from gatewise.compat import NoCounterpartError
from gatewise.compat import deepctr_torch as ours
from gatewise.compat.deepctr_torch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from gatewise.compat.deepctr_torch.inputs import (
    DenseFeat,
    SparseFeat,
    VarLenSparseFeat,
    build_input_features,
    get_feature_names,
)
from gatewise.compat.deepctr_torch.models import ESMM, MMOE, PLE, SharedBottom
from gatewise.compat.deepctr_torch.models.basemodel import BaseModel
from gatewise.errors import GatewiseError

MADE = {"dnn_dropout": 0.1, "task_types": ["binary", "binary"], "task_names": ["income", "marital"]}
MODELS = {
    "SharedBottom": lambda columns: SharedBottom(columns, (16, 8), (4,), **MADE),
    "MMOE": lambda columns: MMOE(columns, 3, (16, 8), (6,), (4,), dnn_use_bn=True, **MADE),
    "PLE": lambda columns: PLE(columns, expert_dnn_hidden_units=(16, 8), tower_dnn_hidden_units=(4,), **MADE),
    "ESMM": lambda columns: ESMM(columns, (16, 8), **MADE),
}


def columns_of(layout: layouts.Layout) -> list[Any]:
    ids = [SparseFeat(name, layout.size(name), embedding_dim=4) for name in layout.sparse]
    return ids + [DenseFeat(name, 1) for name in layout.dense]


@pytest.mark.filterwarnings("ignore::gatewise.GatewiseWarning")
@pytest.mark.parametrize("name", MODELS)
def test_the_example_with_two_tasks_runs(name: str, tmp_path: Path) -> None:
    layout = layouts.make("census", 800)
    frame = pd.DataFrame(layout.x | {"income": layout.y[:, 0] & layout.y[:, 1], "marital": layout.y[:, 1]})
    target = ["marital", "income"] if name == "ESMM" else ["income", "marital"]
    train, test = frame[:600], frame[600:]
    columns = columns_of(layout)
    names = get_feature_names(columns)
    model = MODELS[name](columns)
    model.compile("adagrad", loss=["binary_crossentropy"] * 2, metrics=["binary_crossentropy", "auc"])
    checkpoint = ModelCheckpoint(tmp_path / "best_{epoch}", monitor="val_auc", save_best_only=True)
    history = model.fit(
        {feature: train[feature] for feature in names},
        train[target].values,
        batch_size=32,
        epochs=3,
        verbose=0,
        validation_split=0.2,
        callbacks=[EarlyStopping("val_auc", patience=2, mode="max"), checkpoint],
    )
    given = {feature: test[feature] for feature in names}
    predictions = model.predict(given, 256)
    assert predictions.shape == (200, 2)
    assert predictions.dtype == np.float64
    metrics = model.evaluate(given, test[target].values)
    first, second = model.task_names
    assert list(metrics) == [
        f"{each}{metric}" for metric in ("binary_crossentropy", "auc") for each in ("", f"{first}_", f"{second}_")
    ]
    assert metrics["auc"] == pytest.approx((metrics[f"{first}_auc"] + metrics[f"{second}_auc"]) / 2)
    assert history is model.history
    assert history.epoch == list(range(len(history.history["loss"])))
    assert set(history.history) == {"loss", "val_loss", *(f"val_{metric}" for metric in metrics)}
    (saved,) = tmp_path.iterdir()
    best = int(np.argmax(history.history["val_auc"])) + 1
    assert saved.name == f"best_{best}"
    loaded = gw.load(saved).predict(layout.x)
    np.testing.assert_array_equal(loaded[model.columns[1]].to_numpy()[600:], predictions[:, 1])


@pytest.fixture(scope="module")
def lists() -> tuple[BaseModel, dict[str, np.ndarray], np.ndarray, list[Any]]:
    """Lists of every pooling, a length column, a vector, a regression, and an optimiser of torch."""
    rng = np.random.default_rng(0)
    padded = np.where(np.arange(4) < rng.integers(1, 5, (300, 1)), rng.integers(1, 20, (300, 4)), 0)
    x = {"item": rng.integers(0, 20, 300), "vector": rng.normal(size=(300, 3)), "length": rng.integers(1, 4, 300)}
    x |= dict.fromkeys(("seen", "bought", "liked", "cut"), padded) | {"age": rng.normal(size=300)}
    columns = [
        SparseFeat("item", 20, 4),
        VarLenSparseFeat(SparseFeat("seen", 20, 4, embedding_name="item"), maxlen=4),
        VarLenSparseFeat(SparseFeat("bought", 20, 3), maxlen=4, combiner="sum"),
        VarLenSparseFeat(SparseFeat("liked", 20, 2), maxlen=4, combiner="max"),
        VarLenSparseFeat(SparseFeat("cut", 20, 2), maxlen=4, length_name="length"),
        DenseFeat("vector", 3),
        DenseFeat("age"),
    ]
    y = np.column_stack([x["item"] % 2, 10.0 * x["age"] + rng.normal(size=300)])
    kinds = {"task_types": ["binary", "regression"], "task_names": ["click", "dwell"]}
    model = MMOE(columns, 2, (8,), (), (), l2_reg_dnn=1e-3, l2_reg_embedding=1e-2, **kinds)
    model.compile(
        torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.5), ["binary_crossentropy", "mae"], ["mse", "auc"]
    )
    model.fit(x, y, batch_size=50, epochs=2, verbose=0, validation_data=(x, y))
    return model, x, y, columns


def test_options_are_those_of_the_library(lists: Any) -> None:
    model, *_ = lists
    training, schema = model.ranker.options.training, model.ranker.schema
    # losses are sums over the batch there, and means here
    assert (training.optimizer, training.lr, training.momentum) == ("sgd", pytest.approx(50e-4), 0.5)
    assert (training.weight_decay, training.embedding_decay) == (pytest.approx(4e-5), pytest.approx(4e-4))
    assert (training.seed, training.patience) == (1024, None)
    assert schema.tasks[1] == gw.Regression("dwell", loss="mae")
    assert schema.features[1] == gw.Sequence("seen", shares="item", padding=0)


def test_metrics_are_by_task(lists: Any) -> None:
    model, x, y, _ = lists
    found, predicted = model.evaluate(x, y), model.predict(x)
    assert set(found) == {"mse", "auc", "click_mse", "click_auc", "dwell_mse"}
    assert found["dwell_mse"] == pytest.approx(np.mean((predicted[:, 1] - y[:, 1]) ** 2))
    assert found["click_mse"] == pytest.approx(np.mean((predicted[:, 0] - y[:, 0]) ** 2))
    assert found["auc"] == found["click_auc"]


def test_accuracy_is_that_of_binary_tasks(lists: Any) -> None:
    _, x, y, columns = lists
    model = SharedBottom(columns, (4,), (), task_types=["binary", "regression"], task_names=["click", "dwell"])
    model.compile("adam", metrics=["acc", "accuracy"])
    history = model.fit(x, y, epochs=1, verbose=0, validation_data=(x, y))
    expected = np.mean((model.predict(x)[:, 0] > 0.5) == y[:, 0])
    assert model.evaluate(x, y) == dict.fromkeys(("acc", "click_acc", "accuracy", "click_accuracy"), expected)
    assert history.history["val_acc"] == [expected]


def test_the_linear_part_has_no_weights_there_and_init_std_changes_nothing_here(lists: Any) -> None:
    _, x, y, columns = lists
    there = deepctr_torch.models.SharedBottom([deepctr_torch.inputs.SparseFeat("item", 20, 4)], (4,), ())
    assert list(there.linear_model.parameters()) == []
    found = []
    for options in ({}, {"l2_reg_linear": 1.0, "init_std": 0.1}):
        model = SharedBottom(columns, (4,), (), task_types=["binary", "regression"], **options)
        model.compile("adam")
        model.fit(x, y, epochs=1, verbose=0)
        found.append(model.predict(x))
    np.testing.assert_array_equal(*found)


def test_rows_may_be_a_list_of_columns(lists: Any) -> None:
    model, x, _, columns = lists
    assert get_feature_names(columns) == ["item", "seen", "bought", "liked", "cut", "length", "vector", "age"]
    listed = [x[name] for name in get_feature_names(columns)]
    np.testing.assert_array_equal(model.predict(listed), model.predict(x))


def test_padding_and_what_is_behind_the_length_are_no_items(lists: Any) -> None:
    model, x, _, _ = lists
    behind = np.where(np.arange(4) < x["length"][:, np.newaxis], x["cut"], 7)
    wider = {name: np.pad(x[name], ((0, 0), (0, 2))) for name in ("seen", "bought", "liked")}
    np.testing.assert_array_equal(model.predict(x | {"cut": behind} | wider), model.predict(x))


def test_callbacks_of_ones_own_are_called(lists: Any) -> None:
    _, x, y, columns = lists
    heard: list[Any] = []

    class Listener(Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            heard.append("begin")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            heard.append((epoch, sorted(logs), type(self.model).__name__))

        def on_train_end(self, logs: Any = None) -> None:
            heard.append("end")

    model = SharedBottom(columns, (4,), (), task_types=["binary", "regression"], task_names=["click", "dwell"])
    model.compile("adam")
    model.fit(x, y, epochs=1, verbose=0, callbacks=[Listener()])
    assert heard == ["begin", (0, ["loss"], "SharedBottom"), "end"]


PEERS = [
    *((getattr(ours, name), getattr(deepctr_torch.models, name)) for name in ("MMOE", "SharedBottom", "ESMM", "PLE")),
    *(
        (getattr(BaseModel, name), getattr(deepctr_torch.models.basemodel.BaseModel, name))
        for name in ("compile", "fit", "evaluate", "predict")
    ),
    (ours.EarlyStopping, deepctr_torch.callbacks.EarlyStopping),
    (ours.ModelCheckpoint, deepctr_torch.callbacks.ModelCheckpoint),
    (ours.SparseFeat, deepctr_torch.inputs.SparseFeat.__new__),
    (ours.VarLenSparseFeat, deepctr_torch.inputs.VarLenSparseFeat.__new__),
    (ours.DenseFeat, deepctr_torch.inputs.DenseFeat.__new__),
    (ours.get_feature_names, deepctr_torch.inputs.get_feature_names),
    (ours.build_input_features, deepctr_torch.inputs.build_input_features),
]


@pytest.mark.parametrize(("own", "peer"), PEERS, ids=lambda found: found.__qualname__)
def test_arguments_have_the_names_and_defaults_of_the_library(own: Any, peer: Any) -> None:
    known, found = (
        {name: p.default for name, p in inspect.signature(each).parameters.items() if name != "cls"}
        for each in (peer, own)
    )
    assert list(found) == list(known)
    assert found == known


def test_features_are_numbered_as_in_the_library(lists: Any) -> None:
    *_, columns = lists
    peers = [
        getattr(deepctr_torch.inputs, type(each).__name__)(
            *(
                (deepctr_torch.inputs.SparseFeat(each.name, 20, 4), each.maxlen, each.combiner, each.length_name)
                if isinstance(each, VarLenSparseFeat)
                else (each.name, 20)
                if isinstance(each, SparseFeat)
                else (each.name, each.dimension)
            )
        )
        for each in columns
    ]
    assert build_input_features(columns) == deepctr_torch.inputs.build_input_features(peers)
    widths = [kind("a", 1000, "auto").embedding_dim for kind in (SparseFeat, deepctr_torch.inputs.SparseFeat)]
    assert widths[0] == widths[1]


def model(**options: Any) -> BaseModel:
    return SharedBottom([SparseFeat("a", 5, 2)], (4,), (), **options)


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda: type("Mine", (MMOE,), {"forward": lambda self, x: x}), "Mine, a subclass with code of its own,"),
        (lambda: model().state_dict(), "SharedBottom.state_dict"),
        (lambda: model()(torch.ones(1, 1)), "SharedBottom(x), a forward pass"),
        (lambda: model(gpus=[0, 1]), "training on several GPUs"),
        (lambda: model(dnn_activation="dice"), "dnn_activation 'dice'"),
        (lambda: SparseFeat("a", 5, use_hash=True), "use_hash of feature 'a'"),
        (lambda: model().compile("adam", torch.nn.functional.l1_loss), "loss <function l1_loss"),
        (lambda: model().compile("adam", metrics=["precision"]), "metric 'precision'"),
        (lambda: model().compile(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))], eps=1.0)), "eps=1.0 of Adam"),
        (lambda: model().fit({"a": [1]}, [[0, 1]], shuffle=False), "shuffle=False"),
        (lambda: model().fit({"a": [1]}, [[0, 1]], validation_data=(0, 0, 0)), "weights of validation rows"),
    ],
)
def test_what_has_no_counterpart_points_to_the_page(ask: Any, what: str) -> None:
    with pytest.raises(NoCounterpartError, match=re.escape(what)) as raised:
        ask()
    assert "docs/moving/deepctr-torch.md" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_page_is_there() -> None:
    assert (Path(__file__).parents[2] / "docs" / "moving" / "deepctr-torch.md").is_file()


def stopped(**options: Any) -> Any:
    made = model()
    made.compile("adam")
    return made.fit({"a": [1, 2]}, [[0, 1], [1, 0]], callbacks=[EarlyStopping(**options)])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: model().ranker, "SharedBottom is not trained yet: fit it first"),
        (lambda: model().fit({"a": [1]}, [[0, 1]]), "SharedBottom: compile it before fit"),
        (lambda: model().compile("lion"), "optimizer: expected one of sgd, adam, adagrad, rmsprop, found 'lion'"),
        (lambda: model().compile("adam", "mse"), "loss 'mse': task 'ctr' is binary"),
        (lambda: model().compile("adam", ["mse"]), "loss: expected 2, one per task, found 1"),
        (lambda: model(task_types=["binary", "multiclass"]), "expected binary or regression, found 'multiclass'"),
        (lambda: model(task_types=["binary"]), "task_types: expected 2, one per name, found 1"),
        (lambda: stopped(monitor="auc"), "monitor: expected val_loss, val_METRIC or val_TASK_METRIC, found 'auc'"),
        (lambda: stopped(monitor="val_auc", mode="min"), "mode 'min': of 'val_auc' it is the other direction"),
        (lambda: stopped(mode="most"), "mode: expected 'auto', 'min' or 'max', found 'most'"),
    ],
)
def test_mistakes_are_one_line(ask: Any, message: str) -> None:
    with pytest.raises(GatewiseError, match=re.escape(message)) as raised:
        ask()
    assert "\n" not in str(raised.value)
