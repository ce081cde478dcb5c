"""The trackers that a recipe names."""

from __future__ import annotations

from gatewise import declare
from gatewise.track.mlflow import MLflow
from gatewise.track.tensorboard import TensorBoard
from gatewise.track.tracker import Tracker
from gatewise.track.wandb import Wandb

BESIDE = ("data", "calibration")
"""What a recipe holds beside schema and options, and trackers record, too."""


def trackers_of(recipe: declare.Recipe) -> list[Tracker]:
    """Return the trackers of a recipe, which are none where it has no ``track``.

    Raises:
        MissingExtraError: a tracker's package is not installed.
    """
    track = recipe.track
    if track is None:
        return []
    values = declare.to_dict(recipe)
    also = {name: values[name] for name in BESIDE if values[name] is not None}
    made: list[Tracker] = []
    if (board := track.tensorboard) is not None:
        made.append(TensorBoard(board.folder, also=also))
    if (flow := track.mlflow) is not None:
        made.append(MLflow(flow.uri, experiment=flow.experiment, run=flow.run, log_model=flow.log_model, also=also))
    if (wandb := track.wandb) is not None:
        made.append(Wandb(wandb.project, entity=wandb.entity, run=wandb.run, mode=wandb.mode, also=also))
    return made
