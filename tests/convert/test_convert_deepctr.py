"""Live models of DeepCTR-Torch become rankers that predict the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat
from deepctr_torch.models import ESMM, MMOE, PLE, SharedBottom
from deepctr_torch.models.basemodel import BaseModel
from live_models import check_onnx, check_same, trained

import gatewise as gw
from gatewise import convert
from gatewise.errors import DeclarationError

NAMES = ["click", "rating", "buy"]
THREE: dict[str, Any] = {"task_types": ["binary", "regression", "binary"], "task_names": NAMES, "dnn_dropout": 0.2}
FEATURES = [
    DenseFeat("age"),
    SparseFeat("user", 30, 6),
    VarLenSparseFeat(SparseFeat("seen", 20, 4, embedding_name="item"), maxlen=5),
    SparseFeat("day", 7, 3),
    VarLenSparseFeat(SparseFeat("bought", 20, 6), maxlen=5, combiner="sum"),
    DenseFeat("vector", 3),
    SparseFeat("item", 20, 4),
    VarLenSparseFeat(SparseFeat("liked", 20, 5), maxlen=5, combiner="max"),
    SparseFeat("again", 20, 4, embedding_name="item"),
    DenseFeat("price"),
]
PLE_DIMS: dict[str, Any] = {"expert_dnn_hidden_units": (12, 8), "tower_dnn_hidden_units": (5,)}
MODELS = {
    "MMOE": lambda: MMOE(FEATURES, 3, (12, 8), (6,), (5,), dnn_use_bn=True, dnn_activation="prelu", **THREE),
    "MMOE of linear gates and towers": lambda: MMOE(FEATURES, 2, (12,), (), (), task_names=NAMES[:2]),
    "SharedBottom": lambda: SharedBottom(FEATURES, (12, 8), (5,), dnn_use_bn=True, **THREE),
    "PLE": lambda: PLE(FEATURES, 1, 2, 2, gate_dnn_hidden_units=(6,), **PLE_DIMS, **THREE),
    "PLE of one level": lambda: PLE(FEATURES, 2, 2, 1, gate_dnn_hidden_units=(), **PLE_DIMS, **THREE),
    "ESMM": lambda: ESMM(FEATURES, (12, 8)),
}

# an export takes longer for a larger graph: small models, and one of them has all features
FEW = [
    SparseFeat("item", 20, 4),
    VarLenSparseFeat(SparseFeat("liked", 20, 4, embedding_name="item"), maxlen=5, combiner="max"),
    DenseFeat("age"),
]
TWO: dict[str, Any] = {"task_types": ["binary", "regression"], "task_names": NAMES[:2]}
EXPORTED = {
    "MMOE": lambda: MMOE(FEATURES, 2, (8,), (6,), (), dnn_use_bn=True, dnn_activation="prelu", **TWO),
    "SharedBottom": lambda: SharedBottom(FEW, (8,), (5,), dnn_use_bn=True, **TWO),
    "PLE": lambda: PLE(FEW, 1, 1, 2, (8,), (6,), (), **TWO),
    "ESMM": lambda: ESMM(FEW, (8,)),
}


def predicted(model: BaseModel, rows: dict[str, np.ndarray]) -> np.ndarray:
    return model.predict(dict(rows))


def by_column(model: BaseModel, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Return what each column of the converted ranker's predictions should be."""
    found = predicted(model, rows)
    if isinstance(model, ESMM):
        # there is no probability given the step before: it follows from the other two
        return np.column_stack([found[:, 0], found[:, 1] / found[:, 0], found[:, 1]])
    return found


def converted(model: BaseModel) -> gw.Ranker:
    return convert.deepctr_torch(model, ["click", "buy"] if isinstance(model, ESMM) else None)


@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_the_same(name: str, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = trained(MODELS[name](), lambda model: predicted(model, rows))
    check_same(converted(model), rows, by_column(model, rows), tmp_path)


@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_files_predict_the_same(name: str, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = trained(EXPORTED[name](), lambda model: predicted(model, rows))
    check_onnx(converted(model), rows, by_column(model, rows), tmp_path)


def test_tasks_have_the_names_that_the_model_knows() -> None:
    assert [task.name for task in converted(MODELS["PLE"]()).schema.tasks] == NAMES
    renamed = convert.deepctr_torch(MODELS["PLE"](), ["a", "b", "c"])
    assert [task.name for task in renamed.schema.tasks] == ["a", "b", "c"]


def test_gates_of_the_last_level_have_no_bias() -> None:
    assert converted(MODELS["PLE"]()).options.model.gate == gw.SoftmaxGate(bias=False)


class WithItsOwnForward(SharedBottom):
    def forward(self, x: Any) -> Any:
        return 0 * super().forward(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WithItsOwnForward(FEATURES), "expected one of deepctr-torch's MMOE, SharedBottom, ESMM, PLE"),
        (lambda: SharedBottom(FEATURES, dnn_activation="dice"), "activation 'dice': neither library computes the Dice"),
        (lambda: SharedBottom(FEATURES, dnn_activation="linear"), "activation Identity() has no counterpart"),
        (lambda: ESMM(FEATURES), "tasks: expected 2 names, one per task of ESMM: the step before"),
    ],
)
def test_what_has_no_counterpart_is_named(make: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)) as raised:
        convert.deepctr_torch(make())
    assert "\n" not in str(raised.value)
