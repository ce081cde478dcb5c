"""Workflows of torch-rechub run with their imports changed."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import moving_layouts as layouts
import numpy as np
import pytest
import torch
import torch_rechub.basic.features
import torch_rechub.models.multi_task
import torch_rechub.trainers
import torch_rechub.utils.data
from torch.utils.data import DataLoader

import gatewise as gw
from gatewise.compat import NoCounterpartError
from gatewise.compat import torch_rechub as ours
from gatewise.compat.torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
from gatewise.compat.torch_rechub.models.multi_task import AITM, ESMM, MMOE, PLE, SharedBottom
from gatewise.compat.torch_rechub.trainers import MTLTrainer
from gatewise.compat.torch_rechub.utils.data import DataGenerator, PredictDataset
from gatewise.errors import GatewiseError

ROWS = 600
KINDS = ["classification", "classification"]
TOWERS = [{"dims": [8]}, {"dims": [8]}]


def features_of(layout: layouts.Layout) -> list[Any]:
    ids = [SparseFeature(name, layout.size(name), embed_dim=4) for name in layout.sparse]
    return ids + [DenseFeature(name) for name in layout.dense]


def make_model(name: str, layout: layouts.Layout) -> Any:
    if name == "ESMM":
        user, item = (
            [SparseFeature(f, layout.size(f), embed_dim=4) for f in layout.sparse if (f in layout.user) == mine]
            for mine in (True, False)
        )
        return ESMM(user, item, cvr_params={"dims": [16, 8]}, ctr_params={"dims": [16, 8]})
    features = features_of(layout)
    if name == "SharedBottom":
        return SharedBottom(features, KINDS, bottom_params={"dims": [32]}, tower_params_list=TOWERS)
    if name == "MMOE":
        return MMOE(features, KINDS, 4, expert_params={"dims": [16]}, tower_params_list=TOWERS)
    if name == "PLE":
        return PLE(features, KINDS, 1, 2, 1, expert_params={"dims": [16]}, tower_params_list=TOWERS)
    return AITM(features, 2, bottom_params={"dims": [16]}, tower_params_list=TOWERS)


def run(name: str, layout: layouts.Layout, folder: Path, **options: Any) -> tuple[MTLTrainer, list[list[float]], Any]:
    """What an example script does: generator, loaders, model, trainer, fit."""
    torch.manual_seed(2022)
    (x, y), (x_val, y_val), (x_test, y_test) = layout.split()
    if name == "ESMM":
        y, y_val, y_test = (np.column_stack([own, own[:, 0] * own[:, 1]]) for own in (y, y_val, y_test))
    generator = DataGenerator(x, y)
    loaders = generator.generate_dataloader(x_val, y_val, x_test, y_test, batch_size=100)
    model = make_model(name, layout)
    kinds = ["classification"] * (3 if name == "ESMM" else 2)
    params = {"optimizer_params": {"lr": 5e-3, "weight_decay": 1e-4}, "n_epoch": 4, "earlystop_patience": 30}
    trainer = MTLTrainer(model, task_types=kinds, **params, model_path=folder, **options)
    return trainer, trainer.fit(loaders[0], loaders[1]), loaders[2]


@pytest.mark.filterwarnings("ignore::gatewise.GatewiseWarning")
@pytest.mark.parametrize("data", ["ali_ccp", "ali_express", "census"])
@pytest.mark.parametrize("name", ["SharedBottom", "MMOE", "PLE", "AITM", "ESMM"])
def test_every_model_runs_on_every_layout(name: str, data: str, tmp_path: Path) -> None:
    layout = layouts.make(data, ROWS)
    trainer, log, test = run(name, layout, tmp_path)
    outputs = len(trainer.model.columns)
    scores = trainer.evaluate(trainer.model, test)
    assert len(log) == 4
    assert len(log[0]) == len(trainer.model.tasks) + outputs
    assert len(scores) == outputs
    assert scores[1] > 0.52
    predictions = np.array(trainer.predict(trainer.model, DataLoader(PredictDataset(layout.x), batch_size=64)))
    assert predictions.shape == (ROWS, outputs)
    saved = gw.load(tmp_path / "model_base_0").predict(layout.x)
    np.testing.assert_array_equal(predictions[:, 1], saved[trainer.model.columns[1]].to_numpy())


@pytest.mark.filterwarnings("ignore::gatewise.GatewiseWarning")
@pytest.mark.parametrize("method", ["uwl", "metabalance", "gradnorm"])
@pytest.mark.parametrize("name", ["SharedBottom", "MMOE", "PLE", "AITM"])
def test_every_way_to_balance_runs(name: str, method: str, tmp_path: Path) -> None:
    trainer, log, _ = run(name, layouts.make("census", ROWS), tmp_path, adaptive_params={"method": method})
    assert np.isfinite(log).all()
    kinds = {"uwl": "uncertainty", "metabalance": "metabalance", "gradnorm": "gradnorm"}
    assert trainer.ranker.options.balance.kind == kinds[method]


def test_the_gradnorm_of_a_script_keeps_its_alpha(tmp_path: Path) -> None:
    params = {"method": "gradnorm", "alpha": 0.3}
    trainer, _, _ = run("SharedBottom", layouts.make("census", 200), tmp_path, adaptive_params=params)
    assert trainer.ranker.options.balance == gw.GradNorm(alpha=0.3)


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> tuple[MTLTrainer, dict[str, np.ndarray], Path]:
    """A regression beside a classification, with lists, a vector, and a split by shares."""
    rng = np.random.default_rng(0)
    lists = np.where(np.arange(5) < rng.integers(1, 6, (300, 1)), rng.integers(1, 20, (300, 5)), 0)
    x = {
        "item": rng.integers(0, 20, 300),
        "seen": lists,
        "vector": rng.normal(size=(300, 3)),
        "age": rng.normal(size=300),
    }
    y = np.column_stack([x["item"] % 2, 10.0 * x["age"] + rng.normal(size=300)])
    torch.manual_seed(0)
    loaders = DataGenerator(x, y).generate_dataloader(split_ratio=[0.7, 0.1], batch_size=50)
    features = [
        SparseFeature("item", 20, 4),
        SequenceFeature("seen", 20, 4, pooling="mean", shared_with="item", padding_idx=0),
        DenseFeature("vector", 3),
        DenseFeature("age"),
    ]
    model = MMOE(
        features, ["classification", "regression"], 2, {"dims": [8], "dropout": 0.1}, [{"dims": [4]}, {"dims": []}]
    )
    folder = tmp_path_factory.mktemp("sequences")
    options = {"scheduler_fn": torch.optim.lr_scheduler.StepLR, "scheduler_params": {"step_size": 2, "gamma": 0.5}}
    trainer = MTLTrainer(
        model, ["classification", "regression"], n_epoch=4, earlystop_taskid=1, model_path=folder, **options
    )
    trainer.fit(*loaders[:2], mode="lists", seed=3)
    return trainer, x, folder


def test_lists_regressions_and_schedules(sequences: Any) -> None:
    trainer, x, folder = sequences
    assert (folder / "model_lists_3").is_dir()
    ranker = trainer.ranker
    assert [round(record.lr, 6) for record in ranker.history] == [1e-3, 1e-3, 5e-4, 5e-4]
    assert ranker.options.training.monitor == "task_1.rmse"
    assert ranker.options.model.tower_shapes(["task_0", "task_1"]) == ((4,), ())
    # the squared error falls, though the mode that a script forgets is 'max'
    assert ranker.history[-1].best
    predictions = np.array(
        trainer.predict(
            trainer.model,
            [
                {
                    "item": torch.tensor(x["item"][:7]),
                    **{name: torch.tensor(x[name][:7]) for name in ("seen", "vector", "age")},
                }
            ],
        )
    )
    assert predictions.shape == (7, 2)


def test_padding_is_no_item(sequences: Any) -> None:
    trainer, x, _ = sequences
    wider = x | {"seen": np.pad(x["seen"], ((0, 0), (0, 3)))}
    same = [trainer.predict(trainer.model, DataLoader(PredictDataset(rows), batch_size=64)) for rows in (x, wider)]
    assert same[0] == same[1]


def test_onnx(tmp_path: Path) -> None:
    trainer = MTLTrainer(model(), KINDS, n_epoch=1, model_path=tmp_path)
    loaders = DataGenerator({"a": [1, 2]}, [[0, 1], [1, 0]]).generate_dataloader({"a": [1, 2]}, [[0, 1], [1, 0]])
    trainer.fit(*loaders[:2])
    assert trainer.export_onnx(tmp_path / "model.onnx", dynamic_batch=True) is True
    assert (tmp_path / "model.onnx").stat().st_size > 1000


def test_loggers_hear_of_every_epoch(tmp_path: Path) -> None:
    heard: list[Any] = []

    class Logger:
        def log_hyperparams(self, found: dict[str, Any]) -> None:
            heard.append(found)

        def log_metrics(self, found: dict[str, float], step: int) -> None:
            heard.append((step, sorted(found)))

        def finish(self) -> None:
            heard.append("end")

    run("SharedBottom", layouts.make("census", 200), tmp_path, model_logger=Logger())
    names = ["learning_rate", "train/task_0_loss", "train/task_1_loss", "val/task_0_score", "val/task_1_score"]
    assert heard == [{"n_epoch": 4, "learning_rate": 5e-3}, *((epoch, names) for epoch in range(4)), "end"]


def test_two_models_of_the_same_features_share_nothing(tmp_path: Path) -> None:
    layout = layouts.make("census", 200)
    features = features_of(layout)
    models = [SharedBottom(features, KINDS, {"dims": [8]}, TOWERS) for _ in range(2)]
    loaders = DataGenerator(layout.x, layout.y).generate_dataloader(layout.x, layout.y, batch_size=50)
    first = MTLTrainer(models[0], KINDS, n_epoch=1, model_path=tmp_path)
    first.fit(*loaders[:2])
    before = first.evaluate(models[0], loaders[1])
    MTLTrainer(models[1], KINDS, n_epoch=1, model_path=tmp_path, optimizer_params={"lr": 0.1}).fit(*loaders[:2])
    assert first.evaluate(models[0], loaders[1]) == before


PEERS = [
    (ours.MMOE, torch_rechub.models.multi_task.MMOE),
    (ours.SharedBottom, torch_rechub.models.multi_task.SharedBottom),
    (ours.ESMM, torch_rechub.models.multi_task.ESMM),
    (ours.PLE, torch_rechub.models.multi_task.PLE),
    (ours.AITM, torch_rechub.models.multi_task.AITM),
    (ours.MTLTrainer, torch_rechub.trainers.MTLTrainer),
    (ours.MTLTrainer.fit, torch_rechub.trainers.MTLTrainer.fit),
    (ours.MTLTrainer.evaluate, torch_rechub.trainers.MTLTrainer.evaluate),
    (ours.MTLTrainer.predict, torch_rechub.trainers.MTLTrainer.predict),
    (ours.MTLTrainer.export_onnx, torch_rechub.trainers.MTLTrainer.export_onnx),
    (ours.DataGenerator, torch_rechub.utils.data.DataGenerator),
    (ours.DataGenerator.generate_dataloader, torch_rechub.utils.data.DataGenerator.generate_dataloader),
    (ours.SparseFeature, torch_rechub.basic.features.SparseFeature),
    (ours.SequenceFeature, torch_rechub.basic.features.SequenceFeature),
    (ours.DenseFeature, torch_rechub.basic.features.DenseFeature),
    (ours.TorchDataset, torch_rechub.utils.data.TorchDataset),
    (ours.PredictDataset, torch_rechub.utils.data.PredictDataset),
    (ours.df_to_dict, torch_rechub.utils.data.df_to_dict),
]


@pytest.mark.parametrize(("own", "peer"), PEERS, ids=lambda found: found.__qualname__)
def test_arguments_have_the_names_and_defaults_of_the_library(own: Any, peer: Any) -> None:
    known, found = (
        {name: p.default for name, p in inspect.signature(each).parameters.items() if name != "initializer"}
        for each in (peer, own)
    )
    assert list(found) == list(known)
    assert found == known


def test_the_width_of_an_embedding_is_that_of_the_library() -> None:
    for size in (2, 10, 1000, 123_456):
        assert SparseFeature("a", size).embed_dim == torch_rechub.basic.features.SparseFeature("a", size).embed_dim


def model() -> Any:
    return SharedBottom([SparseFeature("a", 5, 2)], KINDS, {"dims": [4]}, TOWERS)


def subclass() -> Any:
    return type("Mine", (MMOE,), {"forward": lambda self, x: x})


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (subclass, "Mine, a subclass with code of its own,"),
        (lambda: model().state_dict(), "SharedBottom.state_dict"),
        (lambda: model().parameters(), "SharedBottom.parameters"),
        (lambda: model()({"a": torch.tensor([1])}), "SharedBottom(x), a forward pass"),
        (lambda: MTLTrainer(torch.nn.Linear(1, 1), KINDS), "MTLTrainer of a Linear"),
        (lambda: MTLTrainer(model(), KINDS, gpus=[0, 1]), "training on several GPUs"),
        (lambda: MTLTrainer(model(), KINDS, optimizer_fn=torch.optim.LBFGS), "the optimiser 'LBFGS'"),
        (lambda: MTLTrainer(model(), KINDS, optimizer_params={"betas": (0.8, 0.9)}), "betas=(0.8, 0.9) of Adam"),
        (
            lambda: MTLTrainer(model(), KINDS, scheduler_fn=torch.optim.lr_scheduler.LinearLR),
            "the schedule 'LinearLR'",
        ),
        (lambda: MTLTrainer(model(), KINDS).visualization(), "MTLTrainer.visualization"),
        (lambda: SparseFeature("a", 5, initializer=object()), "initializer of feature 'a'"),
        (
            lambda: MMOE([SequenceFeature("a", 5, pooling="concat")], KINDS, 2, {"dims": [4]}, TOWERS).schema(),
            "pooling",
        ),
        (
            lambda: SharedBottom([], KINDS, {"dims": [4], "activation": "dice"}, TOWERS).architecture(),
            "activation 'dice' as torch-rechub computes it",
        ),
    ],
)
def test_what_has_no_counterpart_points_to_the_page(ask: Any, what: str) -> None:
    with pytest.raises(NoCounterpartError, match=re.escape(what)) as raised:
        ask()
    assert "docs/moving/torch-rechub.md" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_page_is_there() -> None:
    assert (Path(__file__).parents[2] / "docs" / "moving" / "torch-rechub.md").is_file()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: model().ranker, "SharedBottom is not trained yet: fit it first"),
        (lambda: MTLTrainer(model(), ["classification"]), "task_types: expected 2, one per output, found 1"),
        (lambda: MTLTrainer(model(), KINDS, adaptive_params={"method": "dwa"}), "expected method uwl, metabalance"),
        (lambda: SharedBottom([], ["binary"], {"dims": [4]}, TOWERS), "expected classification or regression, found"),
        (
            lambda: MTLTrainer(model(), KINDS).fit(
                *DataGenerator({"b": [1]}, [[0, 1]]).generate_dataloader({"b": [1]}, [[0, 1]])[:2]
            ),
            "feature 'a': no column of this name",
        ),
    ],
)
def test_mistakes_are_one_line(ask: Any, message: str) -> None:
    with pytest.raises(GatewiseError, match=re.escape(message)) as raised:
        ask()
    assert "\n" not in str(raised.value)


def test_penalties_become_decays_of_the_same_gradient(tmp_path: Path) -> None:
    penalties = {"embedding_l2": 1e-3, "dense_l2": 2e-3, "dense_l1": 3e-3}
    trainer = MTLTrainer(model(), KINDS, n_epoch=1, regularization_params=penalties, model_path=tmp_path)
    trainer.fit(
        *DataGenerator({"a": [1, 2]}, [[0, 1], [1, 0]]).generate_dataloader({"a": [1, 2]}, [[0, 1], [1, 0]])[:2]
    )
    options = trainer.ranker.options
    assert (options.training.weight_decay, options.training.embedding_decay) == (1e-5 + 4e-3, 1e-5 + 2e-3)
    assert options.model.l1_dense == 3e-3


@pytest.mark.parametrize(
    ("penalty", "optimiser"), [("embedding_l1", torch.optim.Adam), ("dense_l2", torch.optim.AdamW)]
)
def test_penalties_without_a_counterpart_are_named(penalty: str, optimiser: Any) -> None:
    with pytest.raises(NoCounterpartError, match=penalty):
        MTLTrainer(model(), KINDS, optimiser, regularization_params={penalty: 1e-3})
