"""Training: the loop, optimisers, schedules, stopping, checkpoints, history. Only torch is needed."""

from gatewise.training.affinity import task_affinity
from gatewise.training.averages import Averages, LastEpochs, MovingAverages
from gatewise.training.checkpoint import load_checkpoint, save_checkpoint
from gatewise.training.devices import choose_device
from gatewise.training.kept import OPTIMIZER, Kept, counted_before, grown_state, own_state, restore_kept
from gatewise.training.mixed_rows import MixedRows
from gatewise.training.monitor import Monitor, Stopping, split_name
from gatewise.training.optimizers import make_optimizer
from gatewise.training.plain import fit_module
from gatewise.training.pull import pull_back
from gatewise.training.reporter import Facts, Reporter, Reporters
from gatewise.training.rows import TrainingRows
from gatewise.training.run_folder import CHECKPOINT, HISTORY, IN_COMMANDS, goes_on
from gatewise.training.schedules import Schedule, cosine, plateau, step_decay, steps_per_epoch
from gatewise.training.step import TrainingStep
from gatewise.training.trainer import Trainer

__all__ = [
    "CHECKPOINT",
    "HISTORY",
    "IN_COMMANDS",
    "OPTIMIZER",
    "Averages",
    "Facts",
    "Kept",
    "LastEpochs",
    "MixedRows",
    "Monitor",
    "MovingAverages",
    "Reporter",
    "Reporters",
    "Schedule",
    "Stopping",
    "Trainer",
    "TrainingRows",
    "TrainingStep",
    "choose_device",
    "cosine",
    "counted_before",
    "fit_module",
    "goes_on",
    "grown_state",
    "load_checkpoint",
    "make_optimizer",
    "own_state",
    "plateau",
    "pull_back",
    "restore_kept",
    "save_checkpoint",
    "split_name",
    "step_decay",
    "steps_per_epoch",
    "task_affinity",
]
