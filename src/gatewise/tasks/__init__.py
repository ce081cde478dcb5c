"""What a label means: link, loss, mask and metrics of each kind of task, from tensors alone.

A new kind is one file with a subclass of :class:`Task`; trunks and the training loop never ask which kind they have.
"""

from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.funnel import FunnelTask
from gatewise.tasks.predicted import Judged, Predicted, evaluate_tasks
from gatewise.tasks.ranked import RankedBinaryTask
from gatewise.tasks.regression import RegressionTask
from gatewise.tasks.rows import Rows
from gatewise.tasks.task import Metrics, Task, sample
from gatewise.tasks.together import predict_tasks, summed_losses, targets_and_weights

__all__ = [
    "BinaryTask",
    "FunnelTask",
    "Judged",
    "Metrics",
    "Predicted",
    "RankedBinaryTask",
    "RegressionTask",
    "Rows",
    "Task",
    "evaluate_tasks",
    "predict_tasks",
    "sample",
    "summed_losses",
    "targets_and_weights",
]
