from __future__ import annotations

import re
from typing import Any

import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import Hidden, MoSE, Padded

IN, DIM, LENGTHS = 3, 4, (2, 0, 5)


def items(extra: int = 0, rows: int = 3) -> Padded:
    torch.manual_seed(1)
    present = torch.arange(5 + extra) < torch.tensor(LENGTHS[:rows], dtype=torch.long).unsqueeze(1)
    vectors = torch.cat([torch.randn(3, 5, DIM), torch.zeros(3, extra, DIM)], dim=1)[:rows]
    return Padded(vectors * present.unsqueeze(2), present)


def made(**options: Any) -> MoSE:
    torch.manual_seed(0)
    return MoSE(IN, 2, sequence_dim=DIM, experts=3, expert_dim=6, **options)


@pytest.mark.parametrize("cell", ["lstm", "gru", "transformer"])
def test_each_expert_by_itself(cell: str) -> None:
    trunk, sequence, x = made(cell=cell).eval(), items(), torch.randn(3, IN)
    hidden, gates, penalty = trunk.mix(x, sequence)
    outputs = [expert(sequence) for expert in trunk.experts.experts]
    mean = sequence.vectors.sum(dim=1) / sequence.present.sum(dim=1, keepdim=True).clamp(min=1)
    for task in range(2):
        weights = (torch.cat([x, mean], dim=1) @ trunk.gates.linear.weight[task].T).softmax(dim=1)
        torch.testing.assert_close(gates[:, task], weights, atol=1e-6, rtol=0)
        mixed = sum(weights[:, [i]] * outputs[i] for i in range(3))
        torch.testing.assert_close(hidden[:, task], torch.cat([x, mixed], dim=1), atol=1e-6, rtol=1e-5)
    assert penalty is None
    assert (outputs[0] - outputs[1]).abs().max() > 0.01


@pytest.mark.parametrize("cell", ["lstm", "gru", "transformer"])
def test_extra_padding_changes_nothing(cell: str) -> None:
    trunk, x = made(cell=cell).eval(), torch.randn(3, IN)
    torch.testing.assert_close(trunk(x, items(extra=6)), trunk(x, items()), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shapes_for_any_batch(rows: int, training: bool) -> None:
    trunk = made(hidden=Hidden(dropout=0.2)).train(training)
    hidden, gates, _ = trunk.mix(torch.randn(rows, IN), items(rows=rows))
    assert hidden.shape == (rows, 2, trunk.output_dim) == (rows, 2, 9)
    torch.testing.assert_close(gates.sum(dim=2), torch.ones(rows, 2))


FEATURES = [
    gw.Categorical("item", dim=4),
    gw.Sequence("history", shares="item", pooling=None),
    gw.Numeric("age"),
]
TASKS = [gw.Binary("click"), gw.Binary("buy")]
ROWS = {
    "item": [1, 2, 3, 4] * 10,
    "history": [[1, 2], [], [3, 3, 1, 4], [2]] * 10,
    "words": [["a"], ["b", "a"]] * 20,
    "age": [0.1, 0.5, -1.0, 2.0, 0.3] * 8,
    "click": [0, 1, 1, 0, 1] * 8,
    "buy": [0, 0, 1, 0] * 10,
}


@pytest.mark.parametrize("cell", ["lstm", "gru", "transformer"])
def test_it_is_trained_saved_and_loaded(cell: str, tmp_path) -> None:
    ranker = gw.Ranker(gw.Schema(features=FEATURES, tasks=TASKS), gw.MoSE(cell=cell, expert_dim=6), epochs=2)
    before = ranker.fit(ROWS).predict(ROWS)
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(before)
    assert ranker.gates(ROWS).sum(axis=1) == pytest.approx([1, 1])


def test_one_of_several_sequences_by_name() -> None:
    schema = gw.Schema(features=[*FEATURES, gw.Sequence("words", dim=3, pooling=None)], tasks=TASKS)
    trunk = gw.Ranker(schema, gw.MoSE(sequence="words"), epochs=1).fit(ROWS).scorer.model.trunk
    assert trunk.sequence == 1
    assert trunk.experts.experts[0].cell.input_size == 3
    with pytest.raises(DeclarationError, match="sequence: several have pooling None: say which of history, words"):
        gw.Ranker(schema, "mose")
    with pytest.raises(DeclarationError, match=r"sequence: no unpooled sequence 'word' .*did you mean 'words'"):
        gw.Ranker(schema, gw.MoSE(sequence="word"))


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(DeclarationError, match="sequence: mose reads a Sequence feature with pooling None"):
        gw.Ranker(gw.Schema(features=FEATURES[::2], tasks=TASKS), "mose")
    with pytest.raises(ShapeError, match=re.escape("cell: expected one of lstm, gru, transformer, found 'rnn'")):
        made(cell="rnn")
    with pytest.raises(DeclarationError, match="expected a multiple of 3 heads, found 32"):
        gw.MoSE(cell="transformer", heads=3)
