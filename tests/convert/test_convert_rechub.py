"""Live models of torch-rechub become rankers that predict the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from live_models import check_onnx, check_same, trained
from torch import nn
from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
from torch_rechub.models.multi_task import AITM, ESMM, MMOE, PLE, SharedBottom

import gatewise as gw
from gatewise import convert
from gatewise.errors import DeclarationError

KINDS = ["classification", "regression", "classification"]
NAMES = ["click", "rating", "buy"]
HIDDEN = {"dims": [12, 8], "dropout": 0.2}


def features() -> list[Any]:
    # new ones per model: torch-rechub keeps an embedding table in the feature, so that models would share it
    return [
        DenseFeature("age"),
        SparseFeature("user", 30, 6),
        SequenceFeature("seen", 20, 6, shared_with="item"),
        SparseFeature("day", 7, 6),
        SequenceFeature("bought", 20, 6, pooling="sum", padding_idx=0),
        DenseFeature("vector", 3),
        SparseFeature("item", 20, 6),
        SequenceFeature("liked", 20, 6, pooling="mean", padding_idx=0, shared_with="item"),
        SparseFeature("again", 20, 6, shared_with="item"),
        DenseFeature("price"),
    ]


def towers(count: int = 3) -> list[dict[str, Any]]:
    return [{"dims": [5], "dropout": 0.2}] * count


def esmm() -> nn.Module:
    user = [SparseFeature("user", 30, 6), SequenceFeature("seen", 20, 6)]
    return ESMM(user, [SparseFeature("item", 20, 6)], {"dims": [12, 8]}, {"dims": [12, 8]})


OWN_TOWERS = [{"dims": dims, "activation": "leakyrelu", "dropout": 0.3} for dims in ([5], [], [6, 4])]
MODELS = {
    "MMOE": lambda: MMOE(features(), KINDS, 3, HIDDEN | {"activation": "prelu"}, OWN_TOWERS),
    "SharedBottom": lambda: SharedBottom(features(), KINDS, HIDDEN, towers()),
    "PLE": lambda: PLE(features(), KINDS, 2, 2, 1, HIDDEN | {"activation": "sigmoid"}, towers()),
    "PLE of one level": lambda: PLE(features(), KINDS[:2], 1, 1, 3, HIDDEN, [{"dims": []}] * 2),
    "AITM": lambda: AITM(features(), 3, HIDDEN, towers()),
    "ESMM": esmm,
}


def few() -> list[Any]:
    # an export takes longer for a larger graph: small models, and one of them has all features
    liked = SequenceFeature("liked", 20, 6, pooling="mean", padding_idx=0, shared_with="item")
    return [SparseFeature("item", 20, 6), liked, DenseFeature("age")]


SMALL = {"dims": [8], "dropout": 0.2}
EXPORTED = {
    "MMOE": lambda: MMOE(features(), KINDS[:2], 2, SMALL | {"activation": "prelu"}, OWN_TOWERS[:2]),
    "SharedBottom": lambda: SharedBottom(few(), KINDS[:2], SMALL, towers(2)),
    "PLE": lambda: PLE(few(), KINDS[:2], 1, 1, 1, SMALL, [{"dims": []}] * 2),
    "AITM": lambda: AITM(few(), 2, SMALL, towers(2)),
    "ESMM": esmm,
}


def predicted(model: nn.Module, rows: dict[str, np.ndarray]) -> np.ndarray:
    with torch.no_grad():
        return model({name: torch.tensor(values) for name, values in rows.items()}).numpy()


def by_column(model: nn.Module, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Return what each column of the converted ranker's predictions should be."""
    found = predicted(model, rows)
    # there: the step given the one before, the one before, both; here the one before comes first
    return found[:, [1, 0, 2]] if isinstance(model, ESMM) else found


def converted(model: nn.Module) -> gw.Ranker:
    outputs = 2 if isinstance(model, ESMM) else len(model.towers)
    return convert.torch_rechub(model, NAMES[:outputs])


@pytest.mark.filterwarnings("ignore:torch-rechub:gatewise.GatewiseWarning")
@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_the_same(name: str, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = trained(MODELS[name](), lambda model: predicted(model, rows))
    check_same(converted(model), rows, by_column(model, rows), tmp_path)


@pytest.mark.filterwarnings("ignore:torch-rechub:gatewise.GatewiseWarning")
@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_files_predict_the_same(name: str, rows: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = trained(EXPORTED[name](), lambda model: predicted(model, rows))
    check_onnx(converted(model), rows, by_column(model, rows), tmp_path)


def test_options_of_parts_are_kept() -> None:
    with pytest.warns(gw.GatewiseWarning):
        options = converted(MODELS["MMOE"]()).options.model
    assert options.tower_shapes(NAMES) == ((5,), (), (6, 4))
    assert (options.activation, options.dropout, options.norm) == ("prelu", 0.2, "batch")
    assert (options.tower_activation, options.tower_dropout) == ("leaky_relu", 0.3)


def test_it_says_where_further_training_differs() -> None:
    with pytest.warns(gw.GatewiseWarning, match=r"MMOE: predictions are the same, .* gates became their bias"):
        converted(MODELS["MMOE"]())


def test_tables_are_shared_as_before() -> None:
    layout = converted(MODELS["SharedBottom"]()).scorer.encoder.layout
    read = {name: layout.fields[field].name for name, field in layout.ids}
    read |= {column.name: layout.fields[column.field].name for column in layout.lists}
    assert read == {
        "user": "user",
        "day": "day",
        "item": "item",
        "again": "item",
        "seen": "item",
        "bought": "bought",
        "liked": "item",
    }


class WithItsOwnForward(SharedBottom):
    def forward(self, x: Any) -> Any:
        return 0 * super().forward(x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: WithItsOwnForward(features(), KINDS, HIDDEN, towers()),
            "WithItsOwnForward: expected one of torch-rechub's MMOE, SharedBottom, ESMM, PLE, AITM",
        ),
        (lambda: nn.Linear(2, 2), "Linear: expected one of torch-rechub's MMOE"),
        (
            lambda: MMOE(features(), KINDS, 3, {"dims": [4], "activation": "dice"}, towers()),
            "activation 'dice': neither library computes the Dice of the paper",
        ),
        (
            lambda: AITM(features(), 3, HIDDEN | {"activation": "sigmoid"}, towers()),
            "AITM: its transfers have activation 'relu', its bottoms 'sigmoid'",
        ),
        (
            lambda: SharedBottom(features(), KINDS, HIDDEN, [*towers(2), {"dims": [5], "activation": "prelu"}]),
            "activation of towers: expected the same in all of them, found prelu, relu",
        ),
        (
            lambda: MMOE([SequenceFeature("seen", 20, 6, pooling="concat")], KINDS, 3, HIDDEN, towers()),
            "feature 'seen': pooling 'concat' has no counterpart",
        ),
    ],
)
def test_what_has_no_counterpart_is_named(make: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)) as raised:
        convert.torch_rechub(make(), NAMES)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("tasks", [None, ["click"], ["click", "rating", "buy", "share"]])
def test_every_task_needs_a_name(tasks: list[str] | None) -> None:
    with pytest.raises(DeclarationError, match="tasks: expected 3 names, one per task of SharedBottom, found"):
        convert.torch_rechub(MODELS["SharedBottom"](), tasks)


def test_esmm_says_which_steps_it_wants() -> None:
    with pytest.raises(DeclarationError, match="ESMM: the step before, such as a click, and the step after, found"):
        convert.torch_rechub(esmm(), ["cvr", "ctr", "ctcvr"])


def test_weights_that_nobody_read_are_named() -> None:
    model = MODELS["SharedBottom"]()
    model.correction = nn.Linear(2, 2)
    with pytest.raises(DeclarationError, match=r"no counterpart: correction\.weight, correction\.bias"):
        converted(model)


def test_weights_of_losses_are_passed_over(rows: dict[str, np.ndarray]) -> None:
    model = MODELS["SharedBottom"]()
    model.add_module("loss weight", nn.ParameterList([nn.Parameter(torch.ones(1))]))
    assert converted(nn.DataParallel(model).module).predict(rows).num_rows == len(rows["user"])
