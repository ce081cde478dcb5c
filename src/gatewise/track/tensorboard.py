"""Records for TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import override

from gatewise.errors import MissingExtraError
from gatewise.history import EpochRecord
from gatewise.track.tracker import Tracker
from gatewise.track.values import final_values, name_of_run, parameters_of, values_of
from gatewise.training import Facts


class TensorBoard(Tracker):
    """Writes event files for TensorBoard: figures by epoch, options, final metrics; needs the extra ``track``.

    Every run has a folder of its own in ``folder``, named like the run's folder; without one, by date and time. A run
    that is trained anew hides what was recorded there before, one that is resumed goes on.

    Args:
        folder: the folder that ``tensorboard --logdir`` reads.
        run: name of the run's folder in it.
        also: further parameters to record, as plain values.

    Raises:
        MissingExtraError: the package tensorboard is not installed.
    """

    what = "tensorboard"

    def __init__(self, folder: str | Path, *, run: str | None = None, also: Mapping[str, Any] | None = None) -> None:
        super().__init__(also)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError:
            raise MissingExtraError("track", "recording for TensorBoard") from None
        self.folder, self.run, self._make = Path(folder), run, SummaryWriter
        self._writer: Any = None
        self._last = 0

    @override
    def begin(self, facts: Facts | None, first_epoch: int) -> None:
        name = name_of_run(facts, self.run) or time.strftime("%Y-%m-%d_%H-%M-%S")
        # what an earlier training recorded of these epochs and later ones is hidden
        self._writer = self._make(str(self.folder / name), purge_step=first_epoch)
        self._parameters = parameters_of(facts, self.also)
        rows = "".join(f"| {option} | {value} |\n" for option, value in self._parameters.items())
        self._writer.add_text("options", f"| option | value |\n|---|---|\n{rows}", first_epoch)
        self._last = first_epoch
        self._writer.flush()

    @override
    def epoch(self, record: EpochRecord) -> None:
        for name, value in values_of(record).items():
            self._writer.add_scalar(name, value, record.epoch)
        self._last = record.epoch
        self._writer.flush()

    @override
    def end(self, reason: str) -> None:
        self._writer.add_text("end", reason, self._last)
        self._writer.flush()

    @override
    def saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard.summary import hparams

        values = final_values(metrics)
        for name, value in values.items():
            self._writer.add_scalar(name, value, self._last)
        for summary in hparams(self._parameters, values):  # type: ignore[no-untyped-call]
            self._writer.file_writer.add_summary(summary, self._last)
        self._writer.add_text("model", str(folder.absolute()), self._last)
        self._writer.flush()

    @override
    def report(self, path: Path) -> None:
        self._writer.add_text("report", str(path.absolute()), self._last)
        self._writer.flush()
