"""Tasks: link, loss, mask and metrics of each kind of label, on tensors.

A new kind is one file with a subclass of :class:`Task`; trunks and the training loop do not depend on the kind.
:func:`register` adds a kind that is defined outside this package.
"""

from gatewise.tasks.all_tasks import in_sample, predict_tasks, summed_losses, targets_and_weights
from gatewise.tasks.binary import BinaryTask
from gatewise.tasks.count import CountTask
from gatewise.tasks.custom import make_registered, register
from gatewise.tasks.duration import DurationTask
from gatewise.tasks.funnel import FunnelTask, ValueAfterTask
from gatewise.tasks.jrc import JointTask
from gatewise.tasks.late import LATE, LateTask
from gatewise.tasks.lifetime_value import LifetimeValueTask
from gatewise.tasks.members import for_members, merged_scores
from gatewise.tasks.multiclass import MulticlassTask
from gatewise.tasks.ordinal import OrdinalTask
from gatewise.tasks.predicted import Judged, Predicted, evaluate_tasks, joined
from gatewise.tasks.ranked import RankedBinaryTask
from gatewise.tasks.regression import RegressionTask
from gatewise.tasks.rows import ByTask, Rows
from gatewise.tasks.task import Metrics, Task, sample

__all__ = [
    "LATE",
    "BinaryTask",
    "ByTask",
    "CountTask",
    "DurationTask",
    "FunnelTask",
    "JointTask",
    "Judged",
    "LateTask",
    "LifetimeValueTask",
    "Metrics",
    "MulticlassTask",
    "OrdinalTask",
    "Predicted",
    "RankedBinaryTask",
    "RegressionTask",
    "Rows",
    "Task",
    "ValueAfterTask",
    "evaluate_tasks",
    "for_members",
    "in_sample",
    "joined",
    "make_registered",
    "merged_scores",
    "predict_tasks",
    "register",
    "sample",
    "summed_losses",
    "targets_and_weights",
]
