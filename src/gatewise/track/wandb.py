"""Records in Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from gatewise.errors import DeclarationError
from gatewise.history import EpochRecord
from gatewise.track.tracker import Tracker
from gatewise.track.values import final_values, name_of_run, parameters_of, values_of
from gatewise.training import Facts


class Wandb(Tracker):
    """Records a training as a run of Weights & Biases; needs the package ``wandb``, with which no test runs.

    Args:
        project: the project.
        entity: the team or user; None: the default of the account.
        run: name of the run; by default the name of the run's folder.
        mode: ``online``, or ``offline`` for a later ``wandb sync``.
        also: further parameters to record, as plain values.

    Raises:
        DeclarationError: the package wandb is not installed.
    """

    what = "wandb"

    def __init__(
        self,
        project: str = "gatewise",
        *,
        entity: str | None = None,
        run: str | None = None,
        mode: Literal["online", "offline"] = "online",
        also: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(also)
        try:
            import wandb
        except ModuleNotFoundError:
            raise DeclarationError(
                "track.wandb: recording in Weights & Biases needs its package: pip install wandb"
            ) from None
        self._wandb: Any = wandb
        self.project, self.entity, self.run, self.mode = project, entity, run, mode
        self._run: Any = None

    @override
    def begin(self, facts: Facts | None, first_epoch: int) -> None:
        self._run = self._wandb.init(
            project=self.project,
            entity=self.entity,
            name=name_of_run(facts, self.run),
            mode=self.mode,
            config=parameters_of(facts, self.also),
        )

    @override
    def epoch(self, record: EpochRecord) -> None:
        self._run.log(values_of(record), step=record.epoch)

    @override
    def end(self, reason: str) -> None:
        # the run stays open for what is saved later; wandb finishes it when Python ends
        self._run.summary["end"] = reason

    @override
    def saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        self._run.summary.update({**final_values(metrics), "model": str(folder.absolute())})

    @override
    def report(self, path: Path) -> None:
        self._run.save(str(path), base_path=str(path.parent), policy="now")
