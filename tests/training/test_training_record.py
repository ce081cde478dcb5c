from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from gatewise.errors import ArtefactError
from gatewise.history import EpochRecord, records_from, write_history
from gatewise.nn import TensorTable
from gatewise.training import HISTORY, Trainer


@pytest.mark.parametrize("balance", ["static", "uncertainty"])
def test_raw_and_weighted_losses_are_logged(
    balance: str,
    tmp_path: Path,
    make_table: Callable[..., TensorTable],
    make_trainer: Callable[..., Trainer],
) -> None:
    trainer = make_trainer(balance=balance, task_weights=(1.0, 0.25), run_dir=tmp_path, batch_size=40)
    history = trainer.fit(make_table(), make_table(20, seed=1))
    records = [json.loads(line) for line in (tmp_path / HISTORY).read_text(encoding="utf-8").splitlines()]
    assert records == [asdict(record) for record in history]
    assert [record["epoch"] for record in records] == [1, 2, 3]
    for record in records:
        assert set(record["train"]) == set(record["valid"]) == {"liked", "rating"}
        for losses in record["train"].values():
            assert losses["weighted_loss"] == pytest.approx(losses["loss"] * losses["weight"])
        assert record["seconds"] > 0
        assert record["rows_per_second"] > 0
        assert math.isfinite(record["score"])
    # one step an epoch: the first has the weights of the start
    first = {"static": (1.0, 0.25), "uncertainty": (1.0, 0.5 * 0.25)}[balance]
    assert [records[0]["train"][task]["weight"] for task in ("liked", "rating")] == pytest.approx(first)


def test_the_raw_loss_is_the_mean_over_the_tasks_rows(
    make_table: Callable[..., TensorTable], make_trainer: Callable[..., Trainer]
) -> None:
    table, trainer = make_table(missing=0.5), make_trainer(lr=1e-12, task_weights=(3.0, 0.0))
    losses = trainer.fit(table)[0].train  # at this rate nothing moves
    metrics = trainer.evaluate(table)
    assert losses["liked"]["loss"] == pytest.approx(metrics["liked"]["log_loss"], rel=1e-5)
    assert losses["rating"]["loss"] == pytest.approx((metrics["rating"]["rmse"] / 1.5) ** 2, rel=1e-5)
    assert losses["liked"]["weighted_loss"] == pytest.approx(3 * losses["liked"]["loss"])
    assert losses["rating"]["weighted_loss"] == 0


def record(epoch: int) -> EpochRecord:
    return EpochRecord(epoch, 0.1, 1.5, 200.0, {"é": {"loss": 0.5}}, {"é": {"auc": None}}, -0.25, True)


def test_there_and_back(tmp_path: Path) -> None:
    write_history(tmp_path / HISTORY, [record(1), record(2)])
    states = [json.loads(line) for line in (tmp_path / HISTORY).read_text(encoding="utf-8").splitlines()]
    assert records_from(states) == [record(1), record(2)]


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(tmp_path / HISTORY, [record(1)])
    before = (tmp_path / HISTORY).read_text()

    def full(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArtefactError, match=r"cannot write '.*history.jsonl': No space left on device"):
        write_history(tmp_path / HISTORY, [record(1), record(2)])
    assert (tmp_path / HISTORY).read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == [HISTORY]
