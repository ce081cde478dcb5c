"""What a label means: link, loss, mask and metrics of each kind of task, from tensors alone.

A new kind is one file with a subclass of :class:`Task`; trunks and the training loop never ask which kind they have.
"""

from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.regression import RegressionTask
from gatewise.tasks.task import Metrics, Task, evaluate_tasks, sample, summed_losses

__all__ = ["BinaryTask", "Metrics", "RegressionTask", "Task", "evaluate_tasks", "sample", "summed_losses"]
