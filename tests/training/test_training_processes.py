"""Two ranks in one process: threads that meet at every sum."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gatewise.errors import DeclarationError
from gatewise.nn import TensorTable
from gatewise.processes import Alone, share_of
from gatewise.training import HISTORY, Reporter, Trainer, load_checkpoint

MakeTable = Callable[..., TensorTable]
MakeTrainer = Callable[..., Trainer]


class Ranks:
    """Where the ranks of a training meet."""

    def __init__(self, size: int) -> None:
        self.size, self.sums = size, 0
        self._given: list[Tensor | None] = [None] * size
        # a rank that fails or does not come lets the others fail
        self._barrier = threading.Barrier(size, timeout=20)

    def sum(self, rank: int, tensor: Tensor) -> Tensor:
        self._given[rank] = tensor
        self._barrier.wait()
        shapes = {None if part is None else (part.shape, part.is_sparse) for part in self._given}
        assert len(shapes) == 1, f"ranks are at different sums: {shapes}"
        # each rank has a sum of its own: gradients are clipped in place
        result = _sum([part for part in self._given if part is not None])
        self.sums += rank == 0
        self._barrier.wait()
        return result

    def run(self, make: Callable[[Rank], Trainer], fit: Callable[[Trainer], object]) -> list[Trainer]:
        """Make every rank's trainer, one after the other, and let all train at once."""
        trainers = [make(Rank(self, rank)) for rank in range(self.size)]
        with ThreadPoolExecutor(self.size) as pool:
            list(pool.map(fit, trainers))
        return trainers


def _sum(parts: list[Tensor]) -> Tensor:
    if not parts[0].is_sparse:
        return torch.stack(parts).sum(dim=0)
    indices = torch.cat([part._indices() for part in parts], dim=1)
    values = torch.cat([part._values() for part in parts])
    return torch.sparse_coo_tensor(indices, values, parts[0].shape, check_invariants=True).coalesce()


class Rank:
    def __init__(self, ranks: Ranks, rank: int) -> None:
        self.ranks, self.rank, self.size = ranks, rank, ranks.size

    def sum(self, tensor: Tensor) -> Tensor:
        return self.ranks.sum(self.rank, tensor)


def parameters_of(trainer: Trainer) -> dict[str, Tensor]:
    return {**trainer.model.state_dict(), **trainer.step.balance.state_dict()}


def assert_ranks_are_one(
    make_trainer: MakeTrainer, train: TensorTable, valid: TensorTable | None, size: int, **options: Any
) -> None:
    alone = make_trainer(**options)
    alone.fit(train, valid)

    trainers = Ranks(size).run(
        lambda rank: make_trainer(processes=rank, **options), lambda trainer: trainer.fit(train, valid)
    )
    expected = parameters_of(alone)
    for name, value in parameters_of(trainers[0]).items():
        torch.testing.assert_close(value, expected[name], atol=2e-5, rtol=2e-4)
        assert all(torch.equal(parameters_of(other)[name], value) for other in trainers)
    for found, wanted in zip(trainers[-1].history, alone.history, strict=True):
        for numbers, true in zip(numbers_of(asdict(found)), numbers_of(asdict(wanted)), strict=True):
            assert numbers == pytest.approx(true, rel=1e-2, abs=1e-3)


def numbers_of(record: Any, name: str = "") -> Iterator[float]:
    """Yield every number of a record with its path, times left out."""
    if isinstance(record, (dict, list)):
        for key, value in record.items() if isinstance(record, dict) else enumerate(record):
            yield from numbers_of(value, f"{name}.{key}")
    elif "second" not in name and isinstance(record, (int, float)):
        yield record


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_ranks_with_shares_of_every_batch_are_one_process(
    size: int, weighted: bool, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    train, valid = make_table(50, weighted=weighted), make_table(31, seed=1)
    # clipping looks at the whole gradient, and the rule at all losses
    options = {"batch_size": 7, "epochs": 2, "clip_norm": 0.05, "balance": "uncertainty", "l2_embedding": 0.1}
    assert_ranks_are_one(make_trainer, train, valid, size, **options)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("balance", ["dwa", "famo", "gradnorm", "mgda", {"kind": "mgda", "at": "experts"}, "imtl_l"])
def test_balancing_rules_see_the_rows_of_all_ranks(
    balance: Any, accumulate: int, make_table: MakeTable, make_trainer: MakeTrainer
) -> None:
    options = {"batch_size": 8, "epochs": 2, "balance": balance, "accumulate": accumulate, "conflict_every": 2}
    assert_ranks_are_one(make_trainer, make_table(40, missing=0.4), make_table(20, seed=1), 2, **options)


@pytest.mark.parametrize("update", ["dense", "rowwise_adagrad"])
def test_embeddings_move_as_in_one_process(update: str, make_table: MakeTable, make_trainer: MakeTrainer) -> None:
    options = {"batch_size": 8, "epochs": 2, "optimizer": "adam", "embedding_update": update, "lr": 0.01}
    assert_ranks_are_one(make_trainer, make_table(40, missing=0.0), None, 2, **options)


def test_shares_are_all_rows_once() -> None:
    for rows in (0, 1, 5, 8):
        for size in (1, 2, 3):
            shares = [list(range(rows))[share_of(Rank(Ranks(size), rank), rows)] for rank in range(size)]
            assert [row for share in shares for row in share] == list(range(rows))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_rank_zero_alone_writes_and_tells(make_table: MakeTable, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    told: list[int] = []

    class Telling(Reporter):
        def __init__(self, rank: int) -> None:
            self.rank = rank

        def on_training_end(self, reason: str) -> None:
            told.append(self.rank)

    def make(rank: Rank) -> Trainer:
        folder = tmp_path / ("run" if rank.rank == 0 else "nobody")
        return make_trainer(processes=rank, epochs=1, run_dir=folder, reporter=Telling(rank.rank))

    Ranks(2).run(make, lambda trainer: trainer.fit(make_table()))
    assert told == [0]
    assert (tmp_path / "run" / HISTORY).exists()
    assert not (tmp_path / "nobody").exists()
    assert load_checkpoint(tmp_path / "run" / "checkpoint.pt")["finished"]


def test_one_process_sums_nothing() -> None:
    tensor = torch.ones(2)
    assert Alone().sum(tensor) is tensor


def test_batch_norm_is_refused(make_trainer):
    with pytest.raises(DeclarationError, match=r"batch norm takes the statistics of a whole batch.*norm 'layer'"):
        make_trainer(norm="batch", processes=Rank(Ranks(2), 0))
    make_trainer(norm="layer", processes=Rank(Ranks(2), 0))
    make_trainer(norm="batch")
