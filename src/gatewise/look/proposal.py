"""A whole recipe, proposed from a profile, with a reason beside every choice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gatewise.declare import Feature, Schema, Split, Task
from gatewise.errors import GatewiseWarning, TableError, shown
from gatewise.look.features import feature_of
from gatewise.look.profile import Profile, profile


@dataclass(frozen=True)
class Choice:
    """A proposed feature or task, with the reason in words."""

    declared: Any
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """A column that becomes no feature, with the reason in words."""

    column: str
    reason: str


@dataclass(frozen=True)
class Proposal:
    """A whole recipe, proposed.

    Attributes:
        name: the table's name.
        features: the features, in the table's order.
        left_out: the other columns, in the table's order.
        tasks: the tasks.
        group: the group of the schema; None: no metrics within groups.
        why_group: the reason.
        split: how the rows are split.
        why_split: the reason.
        remarks: what a person should know before training, a sentence each.
    """

    name: str
    features: tuple[Choice, ...]
    left_out: tuple[LeftOut, ...]
    tasks: tuple[Choice, ...]
    group: str | None
    why_group: str
    split: Split
    why_split: str
    remarks: tuple[str, ...]

    def schema(self) -> Schema:
        """Return the features, tasks and group as a schema."""
        features: list[Feature] = [each.declared for each in self.features]
        tasks: list[Task] = [each.declared for each in self.tasks]
        return Schema(features=features, tasks=tasks, group=self.group)


def propose(found: Profile) -> Proposal:
    """Return a recipe for a table.

    Args:
        found: the table's profile, see :func:`gatewise.look.profile`.

    Raises:
        TableError: no column can be a label, or none a feature; says what to give.

    Example:
        >>> from gatewise.look import profile
        >>> table = {"user_id": [1, 2, 3] * 40, "price": [0.5, 2.0] * 60, "click": [0, 1, 1, 0] * 30}
        >>> proposal = propose(profile(table))
        >>> [choice.declared.kind for choice in (*proposal.features, *proposal.tasks)]
        ['categorical', 'numeric', 'binary']
    """
    tasks = tuple(Choice(each.task, each.reason) for each in found.tasks if each.task is not None)
    if not tasks:
        why = "; ".join(f"{each.label!r} {each.reason}" for each in found.tasks)
        raise TableError(f"{found.name}: no column can be a label{': ' + why if why else ''}: name the tasks")
    proposed = [(column.name, feature_of(column, found)) for column in found.columns]
    features = [Choice(each.feature, each.reason) for _, each in proposed if each is not None and each.feature]
    left_out = [LeftOut(name, each.reason) for name, each in proposed if each is not None and each.feature is None]
    if not features:
        reasons = shown(f"{each.column!r} {each.reason}" for each in left_out)
        raise TableError(f"{found.name}: no column is left for a feature: {reasons}")
    group, why_group = _group(found)
    split, why_split = _split(found)
    remarks = tuple(_remarks(found, features))
    return Proposal(found.name, tuple(features), tuple(left_out), tasks, group, why_group, split, why_split, remarks)


def schema_from_table(
    source: Any,
    tasks: Sequence[str | Task] | None = None,
    *,
    time: str | None = None,
    group: str | None = None,
) -> Schema:
    """Return the schema that is proposed for a table; see :meth:`gatewise.Schema.from_table`.

    Warns:
        GatewiseWarning: columns leak a label or look so, tasks are a guess, or a named task cannot be learnt.
    """
    proposal = propose(profile(source, tasks, time=time, group=group))
    for remark in proposal.remarks:
        warnings.warn(f"{proposal.name}: {remark}", GatewiseWarning, stacklevel=3)
    return proposal.schema()


def _group(found: Profile) -> tuple[str | None, str]:
    roles = found.roles
    if roles.group is None:
        return None, "no column is named like the id of a request or a person with several rows"
    if roles.is_panel:
        return None, f"{roles.group!r} is what the split keeps whole"
    return roles.group, roles.why_group


def _split(found: Profile) -> tuple[Split, str]:
    roles = found.roles
    if roles.time is not None:
        return Split(roles.time), f"forward in time: {roles.why_time}"
    if found.kept_whole is not None:
        return Split(seed=0, group=found.kept_whole), f"no time; {roles.why_group}: rows of one are in one part"
    return Split(seed=0), "at random: no column is a time of the row without nulls"


def _remarks(found: Profile, features: Sequence[Choice]) -> Iterator[str]:
    kept = {choice.declared.name for choice in features}
    if "last one" in found.roles.why_labels:
        yield f"task {found.roles.labels[0]!r} is a guess: {found.roles.why_labels}"
    for each in found.tasks:
        if each.task is None:
            yield f"no task of {each.label!r}: it {each.reason}"
    told: set[str] = set()
    for leak in found.relations.leaks:
        if leak.column in told:
            continue
        told.add(leak.column)
        if leak.column not in kept:
            yield f"column {leak.column!r} leaks and is left out: {leak.how}"
        else:
            yield f"column {leak.column!r} may leak, and stays: {leak.how}"
    constant = [column.name for column in found.columns if column.distinct == 1 and not column.nulls]
    if constant:
        yield f"constant columns are left out: {shown(map(repr, constant))}"
    feedback = [name for name in found.roles.feedback if name not in told]
    if feedback:
        named = shown(map(repr, feedback))
        yield f"columns named like labels are no features: {named}; name them as tasks, or add them"
