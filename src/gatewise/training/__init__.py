"""Training: the loop, optimisers, schedules, stopping, checkpoints, history. Only torch is needed."""

from gatewise.training.affinity import task_affinity
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.devices import choose_device
from gatewise.training.monitor import Monitor, Stopping, split_name
from gatewise.training.optimizers import make_optimizer
from gatewise.training.plain import fit_module
from gatewise.training.reporter import Facts, Reporter, Reporters
from gatewise.training.rows import TrainingRows
from gatewise.training.run_folder import CHECKPOINT, HISTORY, goes_on
from gatewise.training.schedules import Schedule, cosine, plateau, step_decay, steps_per_epoch
from gatewise.training.step import TrainingStep
from gatewise.training.trainer import Trainer

__all__ = [
    "CHECKPOINT",
    "HISTORY",
    "Facts",
    "Monitor",
    "Reporter",
    "Reporters",
    "Schedule",
    "Stopping",
    "Trainer",
    "TrainingRows",
    "TrainingStep",
    "choose_device",
    "cosine",
    "fit_module",
    "goes_on",
    "load_checkpoint",
    "make_optimizer",
    "plateau",
    "save_checkpoint",
    "split_name",
    "step_decay",
    "steps_per_epoch",
    "task_affinity",
]
