"""The calibration of a model: one calibrator per probability."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any

from torch import Tensor

from gatewise.calibration.best import doubt_of
from gatewise.calibration.calibrator import Calibrator, Fitter
from gatewise.calibration.down_sampling import DownSampling
from gatewise.calibration.methods import calibrator_from_state, make_fitter
from gatewise.errors import ArtefactError, GatewiseWarning, ShapeError, TableError, did_you_mean
from gatewise.tasks import BinaryTask, FunnelTask, Predicted, Task, ValueAfterTask


@dataclass(frozen=True)
class Calibration:
    r"""One calibrator per probability; a funnel's joint probability stays the product of its steps.

    .. math:: p'(\text{click and buy}) = p'(\text{click}) \, p'(\text{buy} \mid \text{click})

    Attributes:
        calibrators: by output; an output without a calibrator does not change.
    """

    calibrators: Mapping[str, Calibrator] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.calibrators)

    def fitted(self, predicted: Predicted, make: Callable[[], Fitter], names: Collection[str]) -> Calibration:
        """Return a calibration in which the named tasks have new calibrators, each fitted on its own sample.

        Args:
            predicted: uncalibrated predictions of rows that the model was not trained on, and their labels.
            make: makes what learns a calibrator.
            names: the names of binary tasks.

        Raises:
            TableError: the rows of an output's sample are not enough; names the output and the reason.

        Warns:
            GatewiseWarning: a calibration is worse than none, or was not chosen for that reason; names the output.
        """
        judged, fresh = predicted.judged(), {}
        for output in probabilities_of(predicted.tasks, names):
            rows = judged[output].predictions, judged[output].labels
            try:
                fresh[output] = make().fit(*rows)
            except ShapeError as error:
                raise TableError(f"calibration of {output!r}: {error}") from None
            if (doubt := doubt_of(make, fresh[output], *rows)) is not None:
                warnings.warn(f"calibration of {output!r}: {doubt}", GatewiseWarning, stacklevel=3)
        return Calibration({**self.calibrators, **fresh})

    def again(self, predicted: Predicted) -> Calibration:
        """Return the calibration of a model that was trained further: the same outputs by the same methods.

        What needs no rows, down-sampling, stays as it is.

        Args:
            predicted: uncalibrated predictions of rows that the model was not trained on, and their labels.

        Warns:
            GatewiseWarning: the rows of an output's sample are not enough, and it is not calibrated any more.
        """
        names = {probability_of(task): task.name for task in predicted.tasks if isinstance(task, BinaryTask)}
        found = self.without_rows()
        for output in (name for name in self.calibrators if name not in found.calibrators):
            make = partial(make_fitter, self.calibrators[output].method)
            try:
                found = found.fitted(predicted, make, [names[output]])
            except TableError as error:
                warnings.warn(f"{error}; it is dropped", GatewiseWarning, stacklevel=3)
        return found

    def without_rows(self) -> Calibration:
        """Return the calibrators that were not learnt from rows, and so hold for any model of the labels."""
        return Calibration({name: made for name, made in self.calibrators.items() if isinstance(made, DownSampling)})

    def given(self, tasks: Sequence[Task], make: Callable[[], Calibrator], names: Collection[str]) -> Calibration:
        """Return a calibration in which the named tasks have new calibrators that need no fitting."""
        fresh = {output: make() for output in probabilities_of(tasks, names)}
        return Calibration({**self.calibrators, **fresh})

    def apply(self, tasks: Sequence[Task], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return all predicted columns ``[row]`` by name, calibrated, in the given order."""
        found = dict(columns)
        for output, calibrate in self.calibrators.items():
            found[output] = calibrate(columns[output])
        for task in tasks:
            if isinstance(task, FunnelTask):
                steps = (found[probability_of(step)] for step in (*task.after, task))
                found[task.joint] = reduce(operator.mul, steps)
            elif isinstance(task, ValueAfterTask):
                outputs = [probability_of(step) for step in task.after]
                steps_of = [reduce(operator.mul, (of[output] for output in outputs)) for of in (found, columns)]
                found |= task.with_steps({name: columns[name] for name in task.columns}, *steps_of)
        return found

    def state(self) -> dict[str, Any]:
        """Return all calibrators as JSON values."""
        return {name: {"method": made.method, **made.state()} for name, made in self.calibrators.items()}

    @classmethod
    def from_state(cls, tasks: Sequence[Task], state: Any) -> Calibration:
        """Rebuild a calibration of these tasks from :meth:`state`.

        Raises:
            ArtefactError: the state is not a calibration, or that of other tasks.
        """
        if not isinstance(state, dict):
            raise ArtefactError(f"calibration: expected a mapping of outputs, found {type(state).__name__}")
        known = list(probabilities_of(tasks, [task.name for task in tasks]))
        calibrators = {}
        for output, learnt in state.items():
            if output not in known:
                raise ArtefactError(f"calibration: {output!r} is no probability{did_you_mean(output, known)}")
            try:
                calibrators[output] = calibrator_from_state(learnt)
            except (KeyError, TypeError, ValueError) as error:
                raise ArtefactError(f"calibration of {output!r}: is no saved calibrator ({error})") from None
        return cls(calibrators)


def probability_of(task: BinaryTask) -> str:
    """Return the output of the task's own probability; for a step, the probability given the step before."""
    return task.outputs[0]


def probabilities_of(tasks: Sequence[Task], names: Collection[str]) -> Iterator[str]:
    """Yield the outputs of the named tasks that can be calibrated."""
    return (probability_of(task) for task in tasks if isinstance(task, BinaryTask) and task.name in names)
