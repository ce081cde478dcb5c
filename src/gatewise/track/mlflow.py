"""Records in MLflow."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typing_extensions import override

from gatewise.errors import MissingExtraError
from gatewise.history import EpochRecord
from gatewise.track.tracker import Tracker
from gatewise.track.values import final_values, name_of_run, parameters_of, values_of
from gatewise.training import Facts

EXPERIMENT, FOLDER = "gatewise", "gatewise.folder"
AT_ONCE = 100
"""Most parameters that MLflow takes at once; of metrics it takes 1,000."""
LONGEST = 6000
"""Most letters of a parameter's value."""
IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""A training does not wait for minutes for a server that does not answer."""
ENDS = {"interrupted": "KILLED"}


class MLflow(Tracker):
    """Records a training as a run of MLflow: parameters, figures by epoch, model, report; needs the extra ``track``.

    Where a run is active (``with mlflow.start_run():``) and neither ``uri`` nor ``experiment`` is given, the training
    is recorded in the active run. A training that is resumed in its folder goes on in its run.

    Args:
        uri: a server, or a database such as ``sqlite:///mlflow.db``; None: MLflow's own choice.
        experiment: the experiment, ``gatewise`` by default; made if there is none.
        run: name of the run; by default the name of the run's folder.
        log_model: whether :meth:`on_saved` copies the artefact into the run, as a model for ``mlflow.pyfunc``.
        also: further parameters to record, as plain values.

    Attributes:
        run_id: the id of the run; None before it begins.

    Raises:
        MissingExtraError: the package mlflow-skinny, or one that it needs, is not installed.
    """

    what = "mlflow"

    def __init__(
        self,
        uri: str | None = None,
        *,
        experiment: str | None = None,
        run: str | None = None,
        log_model: bool = True,
        also: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(also)
        try:
            import mlflow.pyfunc
        except ModuleNotFoundError:
            raise MissingExtraError("track", "recording in MLflow") from None
        self._mlflow: Any = mlflow
        self.uri, self.experiment, self.run, self.log_model = uri, experiment, run, log_model
        self.run_id: str | None = None
        self._ours = True

    @override
    def begin(self, facts: Facts | None, first_epoch: int) -> None:
        with _impatient():
            self._client = self._mlflow.MlflowClient(self.uri)
            self.run_id = self._found(facts, first_epoch) or self._made(facts)
            values = {_name(name): str(value)[:LONGEST] for name, value in parameters_of(facts, self.also).items()}
            # a parameter of a run cannot change: of a run that goes on, or of several trainings, the first ones stay
            kept = self._client.get_run(self.run_id).data.params
            parameters = [self._mlflow.entities.Param(*each) for each in values.items() if each[0] not in kept]
            for start in range(0, len(parameters), AT_ONCE):
                self._client.log_batch(self.run_id, params=parameters[start : start + AT_ONCE])

    def _found(self, facts: Facts | None, first_epoch: int) -> str | None:
        """Return the active run, or the run that a resumed training began; None: neither."""
        active = self._mlflow.active_run()
        if active is not None and self.uri is None and self.experiment is None:
            self._ours = False
            return active.info.run_id
        if first_epoch == 1 or facts is None or facts.folder is None:
            return None
        text = str(facts.folder.absolute()).replace("'", "\\'")
        runs = self._client.search_runs([self._experiment()], f"tags.`{FOLDER}` = '{text}'", max_results=1)
        if not runs:
            return None
        self._client.update_run(runs[0].info.run_id, status="RUNNING")
        return runs[0].info.run_id

    def _made(self, facts: Facts | None) -> str:
        tags = {} if facts is None or facts.folder is None else {FOLDER: str(facts.folder.absolute())}
        made = self._client.create_run(self._experiment(), tags=tags, run_name=name_of_run(facts, self.run))
        return str(made.info.run_id)

    def _experiment(self) -> str:
        name = self.experiment or EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        return str(self._client.create_experiment(name) if found is None else found.experiment_id)

    @override
    def epoch(self, record: EpochRecord) -> None:
        self._log(values_of(record), record.epoch)

    def _log(self, values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        metrics = [self._mlflow.entities.Metric(_name(name), value, now, step) for name, value in values.items()]
        with _impatient():
            for start in range(0, len(metrics), AT_ONCE):
                self._client.log_batch(self.run_id, metrics=metrics[start : start + AT_ONCE])

    @override
    def end(self, reason: str) -> None:
        with _impatient():
            self._client.set_tag(self.run_id, "gatewise.end", reason)
            if self._ours:
                self._client.set_terminated(self.run_id, ENDS.get(reason, "FINISHED"))

    @override
    def saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        self._log(final_values(metrics), 0)
        with _impatient():
            self._client.set_tag(self.run_id, "gatewise.model", str(folder.absolute()))
            if self.log_model:
                self._log_model(folder)

    def _log_model(self, folder: Path) -> None:
        from gatewise.track.mlflow_model import save_mlflow_model

        with TemporaryDirectory() as temporary:
            path = Path(temporary) / "model"
            save_mlflow_model(folder, path, run_id=self.run_id)
            self._client.log_artifacts(self.run_id, str(path), "model")

    @override
    def report(self, path: Path) -> None:
        with _impatient():
            self._client.log_artifact(self.run_id, str(path))


def _name(name: str) -> str:
    """Return a name that MLflow takes: letters, digits, and ``_-. /``; ``ndcg@5`` becomes ``ndcg_at_5``."""
    return re.sub(r"[^\w\-. /]", "_", name.replace("@", "_at_"))[:250]


@contextmanager
def _impatient() -> Iterator[None]:
    """Wait for a server for seconds, where nobody has said otherwise: MLflow's own default is minutes."""
    ours = {name: value for name, value in IMPATIENT.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
