"""Where a training is recorded: TensorBoard, MLflow, Weights & Biases."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import model_validator

from gatewise.declare.base import Name, Shorthand, declaration


@declaration
class TensorBoardTracking:
    """Records for TensorBoard; a recipe may give just the folder."""

    folder: Name
    """Folder that ``tensorboard --logdir`` reads, relative to the working directory; every run has a folder in it."""


@declaration
class MLflowTracking:
    """Records in MLflow; a recipe may give just the address."""

    uri: Name | None = None
    """A server such as ``http://localhost:5000``, or a database such as ``sqlite:///mlflow.db``; None: MLflow's own
    choice, from ``MLFLOW_TRACKING_URI``."""
    experiment: Name | None = field(default=None, kw_only=True)
    """The experiment, which is made if there is none; None: ``gatewise``."""
    run: Name | None = field(default=None, kw_only=True)
    """Name of the run; None: the name of the run's folder."""
    log_model: bool = field(default=True, kw_only=True)
    """Whether the run gets a copy of the artefact, as an MLflow model that ``mlflow.pyfunc`` loads."""


@declaration
class WandbTracking:
    """Records in Weights & Biases; a recipe may give just the project."""

    project: Name = "gatewise"
    """The project."""
    entity: Name | None = field(default=None, kw_only=True)
    """The team or user; None: the default of the account."""
    run: Name | None = field(default=None, kw_only=True)
    """Name of the run; None: the name of the run's folder."""
    mode: Literal["online", "offline"] = field(default="online", kw_only=True)
    """``offline``: into the folder ``wandb``, for a later ``wandb sync``."""


@declaration
class Track:
    """The trackers of a recipe's training.

    Example:
        >>> Track(tensorboard="runs/tensorboard").tensorboard.folder
        'runs/tensorboard'
    """

    tensorboard: Annotated[TensorBoardTracking | None, Shorthand("folder")] = field(default=None, kw_only=True)
    """TensorBoard; also just the folder."""
    mlflow: Annotated[MLflowTracking | None, Shorthand("uri")] = field(default=None, kw_only=True)
    """MLflow; also just the address."""
    wandb: Annotated[WandbTracking | None, Shorthand("project")] = field(default=None, kw_only=True)
    """Weights & Biases; also just the project."""

    @model_validator(mode="after")
    def _one_or_more(self) -> Track:
        if self.tensorboard is None and self.mlflow is None and self.wandb is None:
            raise ValueError("expected one of tensorboard, mlflow and wandb, found none")
        return self
