"""Trainings side by side: each result is its own, and what goes wrong is said by name."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from gatewise.errors import GatewiseWarning, TableError, TrainingError
from gatewise.jobs import Tables
from gatewise.jobs.contestants import Cost, Learnt
from gatewise.jobs.trials import Trial
from gatewise.jobs.workers import _seconds_left, run_trials

NOWHERE = Tables(Path("train"), None, Path("test"))


@dataclass(frozen=True)
class Told:
    """Predicts its seed and how many threads it has."""

    name: str

    def declared(self) -> str:
        return self.name

    def learn(self, seed: int, tables: Tables) -> Learnt:
        assert tables == NOWHERE
        if self.name == "warns":
            warnings.warn("few rows", GatewiseWarning, stacklevel=1)
        if self.name == "fails":
            raise TableError("no rows")
        columns = {"seed": np.array([seed]), "threads": np.array([torch.get_num_threads()])}
        return Learnt(columns, Cost(None, 1.0, None, 0.1))


def trials(folder: Path, *names: str, seeds: int = 2) -> list[Trial]:
    return [Trial(Told(name), seed, folder / name / str(seed), "-") for seed in range(seeds) for name in names]


def ignore(*_: object) -> None:
    """Show nothing."""


def test_every_process_has_one_thread_and_every_trial_its_own_result(tmp_path: Path):
    missing = trials(tmp_path, "one", "other")
    run_trials(missing, NOWHERE, 2, ignore)
    for trial in missing:
        assert trial.predictions().to_pydict() == {"seed": [trial.seed], "threads": [1]}


def test_how_long_the_rest_takes_is_told_after_every_training(tmp_path: Path):
    told: list[tuple[int, float | None]] = []
    run_trials(trials(tmp_path, "one", "other"), NOWHERE, 1, lambda left, seconds: told.append((left, seconds)))
    assert [left for left, _ in told] == [4, 3, 2, 1, 0]
    assert told[0][1] is None
    assert all(seconds > 0 for _, seconds in told[1:4])
    assert told[4][1] == 0


def test_each_is_thought_to_take_as_long_as_its_like(tmp_path: Path):
    left = trials(tmp_path, "one", "other", "new", seeds=1)
    assert _seconds_left(left, {"one": [1.0, 3.0], "other": [10.0]}) == 2 + 10 + (2 + 10) / 2


def test_warnings_and_errors_say_whose_they_are(tmp_path: Path):
    with pytest.warns(GatewiseWarning, match=r"^warns, seed 0: few rows$"):
        run_trials(trials(tmp_path, "warns", seeds=1), NOWHERE, 1, ignore)
    with pytest.raises(TrainingError, match=r"^compare: fails, seed 0: no rows$"):
        run_trials(trials(tmp_path, "fails", seeds=1), NOWHERE, 1, ignore)


def test_a_trial_whose_predictions_are_being_written_anew_does_not_count(tmp_path: Path, monkeypatch):
    (trial,) = trials(tmp_path, "one", seeds=1)
    trial.run(NOWHERE)
    assert trial.done

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gatewise.jobs.trials.write_json", stops)
    with pytest.raises(KeyboardInterrupt):
        trial.run(NOWHERE)
    assert not trial.done
