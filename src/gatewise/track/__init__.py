"""Trackers: reporters that record a training in TensorBoard, MLflow or Weights & Biases.

They are callbacks of :meth:`gatewise.Ranker.fit`, and ``gatewise train`` makes those that a recipe names under
``track``. A tracker that fails warns once and is silent from then on: the training goes on.
"""

from gatewise.track.make import trackers_of
from gatewise.track.mlflow import MLflow
from gatewise.track.tensorboard import TensorBoard
from gatewise.track.tracker import Tracker
from gatewise.track.wandb import Wandb

__all__ = ["MLflow", "TensorBoard", "Tracker", "Wandb", "trackers_of"]
