"""A scorer as one function of tensors, for tracing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.declare import Fusion
from gatewise.export.ports import Form
from gatewise.export.twins import with_twins
from gatewise.names import FUSED, GATES
from gatewise.serving import Scorer
from gatewise.tasks import predict_tasks


class Program(nn.Module):
    """From a form's inputs to every predicted column, the fused score and the gates.

    Args:
        scorer: encoder, model, tasks and calibration.
        form: the form of the inputs.
        fusion: makes one score of all predictions.

    Attributes:
        outputs: names of the outputs of :meth:`forward`: the columns of ``predict``, calibrated where the scorer is;
            ``fused`` if there is a fusion; ``gates`` ``[batch, task, expert]`` if the trunk has gates.
    """

    def __init__(self, scorer: Scorer, form: Form, fusion: Fusion | None = None) -> None:
        super().__init__()
        # a copy that shares all tensors and has a mode (train or eval) of its own
        self.model, self.form = with_twins(scorer.model), form
        self.tasks, self.calibration, self.fusion = scorer.tasks, scorer.calibration, fusion
        self.eval()
        self.outputs = list(self(*(slot.example() for slot in form.slots)))

    @torch.no_grad()
    @override
    def forward(self, *given: Tensor) -> dict[str, Tensor]:
        read = self.form(*given)
        output = self.model(read.inputs)
        found = predict_tasks(self.tasks, output.scores, read.labels)
        if self.calibration:
            found = self.calibration.apply(self.tasks, found)
        if self.fusion is not None:
            found[FUSED] = self.fusion.evaluate({**found, **read.fused})
        if output.gates is not None:
            found[GATES] = output.gates
        return found
