"""Embedding tables in the host's memory: the weights of tables that are where the model is, bit for bit.

The rows of a batch are fetched, and gradients given back, as if the model were on another device than the CPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.nn import EmbeddingTables, HostTables
from torchrun_program import SCHEMA, table, trained

LATER = table(200, 3)
CASES: dict[str, dict[str, Any]] = {
    name: {"optimizer": name} for name in ("adamw", "adam", "adagrad", "rmsprop", "sgd")
}
CASES |= {
    "rowwise": {"embedding_update": "rowwise_adagrad", "embedding_decay": 0.01, "embedding_lr": 0.02},
    "accumulated": {"accumulate": 3, "balance": "gradnorm", "clip_norm": None},
    "gramian": {"accumulate": 2, "balance": "imtl_g"},
    "half": {"precision": "bf16"},
    "moving average": {"ema": 0.9, "epochs": 2},
    "mean of epochs": {"average_last": 2, "epochs": 2},
    "dropped": {"model": {"kind": "mmoe", "experts": 2, "expert_dims": [8], "id_dropout": 5.0}},
    "from disk": {"memory": 0, "batch_size": 70},
}
Fetched = list[str]


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Fetched:
    """Let tables be apart from the model, and return the names of the matrices whose rows are fetched."""
    found: Fetched = []
    fetch = HostTables.fetched
    monkeypatch.setattr(HostTables, "is_apart", lambda *_: True)
    monkeypatch.setattr(HostTables, "fetched", lambda *given: found.append(given[1]) or fetch(*given))
    return found


def weights(ranker: gw.Ranker) -> dict[str, torch.Tensor]:
    return dict(ranker.scorer.model.state_dict())


def assert_same(found: gw.Ranker, wanted: gw.Ranker) -> None:
    torch.testing.assert_close(weights(found), weights(wanted), atol=0, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_of_tables_beside_the_model(case: str, fetched: Fetched, tmp_path: Path) -> None:
    options = {**CASES[case], "cache": str(tmp_path)}
    wanted, found = trained(options), trained({**options, "tables": "host"})
    assert isinstance(found.scorer.model.input_layer.tables, HostTables)
    assert set(fetched) == {"dim_2", "dim_4"}
    assert_same(found, wanted)
    assert found.history[-1].valid == wanted.history[-1].valid
    assert found.predict(LATER) == wanted.predict(LATER)


def test_saved_loaded_grown_and_trained_further(fetched: Fetched, tmp_path: Path) -> None:
    rankers = {}
    for tables in ("replicate", "host"):
        ranker = trained({"tables": tables, "keep_optimizer": True, "ema": 0.9})
        ranker.save(tmp_path / tables)
        loaded = gw.load(tmp_path / tables)
        assert type(loaded.scorer.model.input_layer.tables) is EmbeddingTables
        assert loaded.predict(LATER) == ranker.predict(LATER)
        later = LATER.set_column(0, "user", [np.arange(200) % 50])
        loaded.update(later, progress=False)
        ranker.update(later, progress=False)
        assert_same(loaded, ranker)
        rankers[tables] = ranker
    assert type(rankers["host"].scorer.model.input_layer.tables) is HostTables
    assert_same(rankers["host"], rankers["replicate"])
    rankers["host"].extend_vocabulary(LATER.set_column(0, "user", [np.arange(200) % 70]))
    assert type(rankers["host"].scorer.model.input_layer.tables) is HostTables
    for file in ("weights.safetensors", "training.safetensors"):
        assert (tmp_path / "host" / file).read_bytes() == (tmp_path / "replicate" / file).read_bytes()


@pytest.mark.parametrize("then", ["host", "replicate"])
def test_resumed(then: str, fetched: Fetched, tmp_path: Path) -> None:
    options = {"tables": "host", "ema": 0.9, "epochs": 2}
    wanted = trained(options)
    trained({**options, "epochs": 1}, tmp_path / "run")
    found = trained({**options, "tables": then}, tmp_path / "run", resume=True)
    assert_same(found, wanted)


def test_tables_stay_where_they_are_when_the_model_is_moved() -> None:
    ranker = trained({"tables": "host"})
    predicted = ranker.predict(LATER)
    model = ranker.scorer.model
    held = [weight.data_ptr() for weight in model.input_layer.tables.parameters()]
    moved = model.to("meta")
    assert moved.device == ranker.scorer.device == torch.device("meta")
    tables = moved.input_layer.tables
    assert [weight.data_ptr() for weight in tables.parameters()] == held
    assert tables.is_apart(torch.device("meta"))
    assert not tables.is_apart(torch.device("cpu"))
    assert predicted.num_rows == len(LATER)


def test_gradients_with_respect_to_the_tables_are_recorded(fetched: Fetched) -> None:
    """Outside of a training step, where analyses ask autograd for them."""
    found = {}
    for tables in ("replicate", "host"):
        scorer = trained({"tables": tables}).scorer
        rows = scorer.tensors(scorer.encode(LATER))
        loss = scorer.model(rows.inputs(torch.arange(20))).scores.square().sum()
        found[tables] = torch.autograd.grad(loss, [*scorer.model.input_layer.tables.parameters()])
    torch.testing.assert_close(found["host"], found["replicate"], atol=0, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_update": "dense"}, r"tables 'host' moves the rows of a step alone"),
        ({"precision": "fp16"}, r"tables 'host' trains in precision fp32 or bf16"),
        ({"tables": "hots"}, r"expected 'replicate', 'shard', 'host' or names of features, .* did you mean 'host'"),
    ],
)
def test_what_does_not_go_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.Ranker(SCHEMA, gw.MMoE(), **{"tables": "host", **options})
