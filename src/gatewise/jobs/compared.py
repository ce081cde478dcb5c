"""The result of a comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from gatewise.analysis import Spread, Verdict, note_of, seesaw
from gatewise.jobs.contestants import Cost


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison, as plain data.

    Attributes:
        seeds: the seeds that every contestant was trained with.
        rows: the number of test rows.
        level: the level of the verdicts' intervals.
        against: the contestant that the others are compared with.
        metrics: of every contestant and output, by name, over the seeds.
        verdicts: of every contestant except ``against``.
        over_trees: verdicts against the trees of ``baseline``; empty without a baseline.
        cost: of every contestant, the mean over seeds.
        tasks: names of the tasks.
        affinity: of every contestant whose tasks share a model ``[task][task]``, the effect of a step on the
            first task on the loss of the second, the mean over seeds, see :func:`gatewise.training.task_affinity`;
            None: no label.
        unfinished: by contestant, the tasks whose models were not trained to the end, in most of their trainings;
            they have no verdict, and neither has what is compared with them.
    """

    seeds: tuple[int, ...]
    rows: int
    level: float
    against: str
    metrics: dict[str, dict[str, dict[str, Spread]]]
    verdicts: list[Verdict]
    over_trees: list[Verdict]
    cost: dict[str, Cost]
    tasks: tuple[str, ...]
    affinity: dict[str, list[list[float | None]]]
    unfinished: dict[str, list[str]] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """One line on contestants that were not trained to the end; empty if there are none."""
        return note_of(self.unfinished)

    @property
    def seesaw(self) -> dict[str, dict[str, Verdict]]:
        """Every contestant's gain or loss per output."""
        return seesaw(self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "seeds": list(self.seeds),
            "rows": self.rows,
            "level": self.level,
            "against": self.against,
            "metrics": {
                who: {
                    output: {name: spread._asdict() for name, spread in values.items()}
                    for output, values in found.items()
                }
                for who, found in self.metrics.items()
            },
            "verdicts": [verdict._asdict() for verdict in self.verdicts],
            "over_trees": [verdict._asdict() for verdict in self.over_trees],
            "seesaw": {
                who: {output: verdict.change for output, verdict in changes.items()}
                for who, changes in self.seesaw.items()
            },
            "cost": {who: asdict(cost) for who, cost in self.cost.items()},
            "tasks": list(self.tasks),
            "affinity": self.affinity,
            "unfinished": self.unfinished,
        }
