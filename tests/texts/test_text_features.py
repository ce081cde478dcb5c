"""Texts from table to prediction: frozen and trained language models, saved and loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError

GOOD = ["the film was good", "very good story", "a great film", "great and short", "not bad"]
BAD = ["the film was bad", "very dull story", "a bad film", "long and dull", "not good"]


def reviews(rows: int = 200, seed: int = 0) -> dict[str, object]:
    """Return reviews whose text says whether they are liked, a few without text."""
    rng = np.random.default_rng(seed)
    liked, pick = rng.integers(0, 2, rows), rng.integers(0, 5, rows)
    texts = [(GOOD if good else BAD)[i] for good, i in zip(liked, pick, strict=True)]
    return {
        "review": [None if i % 20 == 7 else text for i, text in enumerate(texts)],
        "aspect": ["story" if i % 3 else "price" for i in range(rows)],
        "liked": liked,
        "stars": liked * 2.0 + rng.normal(size=rows),
    }


def schema_of(folder: str, **options: object) -> gw.Schema:
    features = [gw.Text("review", folder, **options), gw.Categorical("aspect", dim=4)]
    return gw.Schema(features, [gw.Binary("liked"), gw.Regression("stars")])


def ranker_of(folder: str, model: object = None, options: dict[str, object] | None = None, **training: object):
    model = model or gw.MMoE(experts=2, expert_dims=[8], tower_dims=[])
    chosen = {"epochs": 3, "batch_size": 50, "lr": 0.01, **training}
    return gw.Ranker(schema_of(folder, **(options or {})), model, **chosen)


def reference(transformers, folder: str, texts: list[str], pooling: str) -> torch.Tensor:
    """Return vectors as ``transformers`` alone makes them, text by text."""
    tokenizer, model = (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModel.from_pretrained(folder),
    )
    found = []
    with torch.no_grad():
        for text in texts:
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            found.append(states[0] if pooling == "cls" else states.mean(dim=0))
    return torch.stack(found)


def text_columns(ranker: gw.Ranker, table: dict[str, object]) -> torch.Tensor:
    scorer = ranker.scorer
    tensors = scorer.tensors(scorer.encoder.encode(table, labels=False))
    layer = scorer.model.eval().input_layer
    with torch.no_grad():
        return layer(tensors.inputs(torch.arange(len(tensors)))).x[:, layer.columns_of("review")]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_real_models_vectors_reach_the_trunk(minilm: str, transformers, pooling: str) -> None:
    texts = ["A moving film about loss and hope.", "Dull.", "", "Great acting; the plot, however, drags on and on."]
    table = {"review": [*texts, None], "aspect": ["a"] * 5}
    ranker = ranker_of(minilm, options={"pooling": pooling}, epochs=1).fit(reviews(20))
    found = text_columns(ranker, table)
    assert found.shape == (5, 384)
    torch.testing.assert_close(found[:4], reference(transformers, minilm, texts, pooling), atol=1e-5, rtol=1e-4)
    assert found[4].eq(0).all()


def test_what_a_text_says_is_learnt_with_a_real_model(minilm: str) -> None:
    train = {
        "review": ["I loved it, wonderful acting", "a delight from start to end", "what a waste of time", "I hated it"]
        * 30,
        "aspect": ["a"] * 120,
        "liked": [1, 1, 0, 0] * 30,
        "stars": [5.0, 4.0, 1.0, 2.0] * 30,
    }
    model = gw.SharedBottom(bottom_dims=[16], tower_dims=[])
    ranker = ranker_of(minilm, model, epochs=10).fit(train)
    unseen = {"review": ["truly wonderful", "an awful, boring waste"], "aspect": ["a", "a"]}
    good, bad = ranker.predict(unseen)["liked"].to_pylist()
    assert good > 0.6 > 0.4 > bad


def test_a_frozen_model_reads_every_distinct_text_once_and_stays_as_it_is(tiny: str, transformers) -> None:
    ranker = ranker_of(tiny, epochs=4)
    read = []

    def count(module: torch.nn.Module, _: object, output: object) -> None:
        if type(module).__name__ == "BertModel":
            read.append(len(output.last_hidden_state))

    hook = torch.nn.modules.module.register_module_forward_hook(count)
    try:
        ranker.fit(reviews(), reviews(seed=1))
    finally:
        hook.remove()
    assert sum(read) == 2 * len({*GOOD, *BAD, None})
    (encoder,) = ranker.scorer.model.input_layer.texts
    expected = transformers.AutoModel.from_pretrained(tiny).state_dict()
    for name, weight in encoder.encoder.state_dict().items():
        assert torch.equal(weight, expected[name]), name


def test_dropout_of_a_frozen_model_is_off_in_training(tiny: str) -> None:
    ranker = ranker_of(tiny, epochs=1).fit(reviews())
    model = ranker.scorer.model.train()
    assert not any(module.training for module in model.input_layer.texts[0].encoder.modules())
    trained = ranker_of(tiny, options={"frozen": False}, epochs=1).fit(reviews()).scorer.model.train()
    assert all(module.training for module in trained.input_layer.texts[0].encoder.modules())


def test_a_trained_model_learns_at_its_own_rate(tiny: str, transformers) -> None:
    before = transformers.AutoModel.from_pretrained(tiny).state_dict()
    name = "encoder.layer.0.attention.self.query.weight"
    moved = []
    for factor in (1.0, 0.25):
        options = {"frozen": False, "lr_factor": factor}
        training = {"epochs": 1, "batch_size": 200, "optimizer": "sgd", "momentum": 0.0, "lr": 100.0}
        model = ranker_of(tiny, options=options, **training).fit(reviews()).scorer.model
        moved.append(model.input_layer.texts[0].encoder.state_dict()[name] - before[name])
    assert moved[0].abs().max() > 1e-6
    torch.testing.assert_close(moved[1], moved[0] * 0.25, atol=1e-8, rtol=1e-3)


def test_reading_a_repeated_text_once_changes_no_gradient(tiny: str) -> None:
    ranker = ranker_of(tiny, options={"frozen": False}, epochs=1).fit(reviews())
    scorer = ranker.scorer
    tensors = scorer.tensors(scorer.encoder.encode(reviews(), labels=False))
    scorer.model.eval()
    gradients = []
    for rows in ([0, 1, 2, 3, 0, 1, 7], [0], [1], [2], [3], [0], [1]):
        scorer.model.zero_grad()
        scorer.model(tensors.inputs(torch.tensor(rows))).scores.sum().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in scorer.model.input_layer.texts.parameters() if p.grad is not None])
        )
    assert gradients[0].abs().max() > 1e-4
    torch.testing.assert_close(gradients[0], sum(gradients[1:]), atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("frozen", [True, False])
def test_neighbours_in_a_batch_change_nothing(tiny: str, frozen: bool) -> None:
    ranker = ranker_of(tiny, options={"frozen": frozen}, epochs=1).fit(reviews())
    table = {"review": ["good", "the film was very very very long and dull", None, ""], "aspect": ["price"] * 4}
    together = ranker.predict(table)
    for row in range(4):
        alone = ranker.predict({name: column[row : row + 1] for name, column in table.items()})
        for task in ("liked", "stars"):
            assert alone[task][0].as_py() == pytest.approx(together[task][row].as_py(), abs=1e-6)
    assert ranker.predict({"review": [None], "aspect": ["price"]}).num_rows == 1
    assert ranker.predict({"review": [], "aspect": []}).num_rows == 0


@pytest.mark.parametrize("frozen", [True, False])
def test_the_artefact_holds_the_language_model(tiny: str, frozen: bool, tmp_path: Path) -> None:
    source = shutil.copytree(tiny, tmp_path / "source")
    ranker = ranker_of(str(source), options={"frozen": frozen}).fit(reviews(), reviews(seed=1))
    ranker.save(tmp_path / "model")
    expected = ranker.predict(reviews())["liked"].to_pylist()
    shutil.rmtree(source)
    program = (
        "import sys, json, gatewise as gw\n"
        "print(json.dumps(gw.load(sys.argv[1]).predict(json.loads(sys.argv[2]))['liked'].to_pylist()))"
    )
    rows = json.dumps({name: reviews()[name] for name in ("review", "aspect")})
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model"), rows], capture_output=True, text=True, check=True
    )
    assert json.loads(found.stdout) == pytest.approx(expected, abs=1e-6)


def test_resuming_gives_the_numbers_of_never_stopping(tiny: str, tmp_path: Path) -> None:
    options = {"frozen": False, "lr_factor": 0.5}
    whole = ranker_of(tiny, options=options, epochs=3).fit(reviews())
    ranker_of(tiny, options=options, epochs=2).fit(reviews(), run_dir=tmp_path)
    resumed = ranker_of(tiny, options=options, epochs=3).fit(reviews(), run_dir=tmp_path, resume=True)
    for (name, one), two in zip(
        whole.scorer.model.state_dict().items(), resumed.scorer.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two), name
    other = reviews() | {"review": list(reversed(reviews()["review"]))}
    with pytest.raises(gw.GatewiseError, match="belongs to another training"):
        ranker_of(tiny, options=options, epochs=3).fit(other, run_dir=tmp_path, resume=True)


@pytest.mark.filterwarnings("ignore:expert .* is dead")
@pytest.mark.parametrize(
    "model",
    [
        gw.FacetAwareMoE(facet="aspect", expert_dim=8),
        gw.STEM(expert_dims=[8]),
        gw.PEPNet(scenario=["aspect"], priors=["review"]),
        gw.MMoE(gate=gw.SoftmaxGate(features=["review"])),
        gw.MMoE(side=gw.SideTower(["aspect"])),
    ],
    ids=lambda model: model.kind,
)
def test_texts_under_any_trunk(tiny: str, model: object, tmp_path: Path) -> None:
    ranker = ranker_of(tiny, model, epochs=8, lr=0.02).fit(reviews(600))
    assert ranker.evaluate(reviews(seed=2))["liked"]["auc"] > 0.85
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(reviews()).equals(ranker.predict(reviews()))


@pytest.mark.parametrize("options", [{"embedding_update": "dense"}, {"weight_decay": 0.1}, {"accumulate": 2}])
def test_ways_of_training(tiny: str, options: dict[str, object]) -> None:
    ranker = ranker_of(tiny, options={"frozen": False, "lr_factor": 0.5}, epochs=6, **options).fit(reviews())
    assert ranker.history[-1].train["liked"]["loss"] < ranker.history[0].train["liked"]["loss"]


def test_growing_keeps_the_language_model(tiny: str) -> None:
    ranker = ranker_of(tiny, epochs=1).fit(reviews())
    before = ranker.predict(reviews())
    assert ranker.extend_vocabulary(reviews() | {"aspect": ["new"] * 200}) == {"aspect": 1}
    assert ranker.predict(reviews()).equals(before)


def test_weights_that_do_not_fit_are_named(tiny: str, tmp_path: Path) -> None:
    broken = shutil.copytree(tiny, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(DeclarationError, match=r"feature 'review': encoder '.*broken' cannot be loaded"):
        ranker_of(str(broken)).fit(reviews())
