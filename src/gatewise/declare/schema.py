"""The schema: features in, tasks out."""

from __future__ import annotations

import collections.abc
import json
from collections import Counter
from dataclasses import field, replace
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, model_validator
from typing_extensions import override

from gatewise.declare.base import Name, Names, declaration, from_dict, read_yaml, to_dict
from gatewise.declare.events import EventAttention, EventId, Events
from gatewise.declare.features import Categorical, Feature, Numeric, Sequence, shared_table
from gatewise.declare.funnels import check_relations, outputs_of, path_to
from gatewise.declare.number_embeddings import NumberEmbedding
from gatewise.declare.poolings import Attention, Transformer
from gatewise.declare.tasks import Binary, Label, Task
from gatewise.declare.words import declared_grid, line_of
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.grids import Grid, html_of
from gatewise.names import RESERVED

DEFAULT_DIM = 16

Features = Annotated[collections.abc.Sequence[Feature], AfterValidator(tuple), Field(min_length=1)]
"""One feature or more, kept as a tuple."""

Tasks = Annotated[collections.abc.Sequence[Task], AfterValidator(tuple), Field(min_length=1)]
"""One task or more, kept as a tuple."""


@declaration
class Schema:
    """The features that a model reads from a table, and the tasks that it predicts.

    Args:
        features: at least one feature; names are unique.
        tasks: at least one task; names are unique.
        group: the column of group ids, such as users or requests.
        known: columns of numbers for a fusion, such as ``cost`` in ``revenue / max(cost, 1)``; the model does not read
            them.
        context: columns of features whose values all candidates of a request share, such as those of the user.

    Raises:
        DeclarationError: a duplicate name, a label among the features, a shared table or a named task that does not
            exist.

    Example:
        >>> from gatewise import Binary, Categorical, Schema
        >>> schema = Schema(features=[Categorical("user_id")], tasks=[Binary("click")])
        >>> Schema.from_json(schema.to_json()) == schema
        True
    """

    features: Features
    """The features that the model reads."""
    tasks: Tasks
    """The tasks, in the order of the model's outputs."""
    group: Name | None = field(default=None, kw_only=True)
    """The column of group ids, for metrics and ranking losses within groups."""
    known: Names = field(default=(), kw_only=True)
    """Columns of numbers that are known when predicting and that a fusion may use, such as a cost or a margin."""
    context: Names = field(default=(), kw_only=True)
    """Columns whose values all candidates of a request share: of the user, the time, the place."""

    @model_validator(mode="after")
    def _consistent(self) -> Schema:
        _unique("feature", [feature.name for feature in self.features])
        self._no_name_of_a_list()
        _unique("task", [task.name for task in self.tasks])
        self._no_label_among_features()
        self._check_tasks()
        self._check_context()
        for feature in self.features:
            if (owner := shared_table(feature)) is not None:
                self._check_shared(feature, owner)
        for feature in self.features:
            if isinstance(feature, Sequence):
                self._check_pooling(feature)
            if isinstance(feature, Events):
                self._check_events(feature)
        return self

    def _check_pooling(self, feature: Sequence) -> None:
        pooling, width = feature.pooling, embedding_dim(feature, self)
        if isinstance(pooling, Attention):
            targets = {name: embedding_dim(feature, self) for name, feature in self.categorical.items()}
            if pooling.target not in targets:
                hint = did_you_mean(pooling.target, targets)
                raise ValueError(
                    f"sequence {feature.name!r}: its target {pooling.target!r} is no categorical feature{hint}"
                )
            if targets[pooling.target] != width:
                found = f"{targets[pooling.target]}, the sequence has {width}"
                raise ValueError(f"sequence {feature.name!r}: its target {pooling.target!r} has dim {found}")
        if isinstance(pooling, Transformer) and (pooling.dim or width) % pooling.heads:
            raise ValueError(f"sequence {feature.name!r}: its width {width} is no multiple of {pooling.heads} heads")

    def _check_events(self, feature: Events) -> None:
        for part in feature.ids:
            if part.shares is not None:
                self._check_shared(sequence_of(part, feature), part.shares)
        if isinstance(feature.pooling, EventAttention):
            for target in feature.pooling.target:
                if target not in self.categorical:
                    hint = did_you_mean(target, self.categorical)
                    raise ValueError(f"events {feature.name!r}: its target {target!r} is no categorical feature{hint}")
        width = embedding_dim(feature, self)
        if isinstance(feature.pooling, Transformer) and (feature.pooling.dim or width) % feature.pooling.heads:
            found = f"its width {width} is no multiple of {feature.pooling.heads} heads"
            raise ValueError(f"events {feature.name!r}: {found}: give the transformer a dim")

    def _no_name_of_a_list(self) -> None:
        names = {feature.name for feature in self.features}
        for feature in self.features:
            if isinstance(feature, Sequence) and feature.weights and (taken := f"{feature.name}.weights") in names:
                raise ValueError(
                    f"feature {taken!r}: this is the name of the weights of {feature.name!r}, give another"
                )
            if isinstance(feature, Events):
                for part in feature.parts:
                    if (taken := feature.part(part.name)) in names:
                        found = f"this is the name of a part of {feature.name!r}, give another"
                        raise ValueError(f"feature {taken!r}: {found}")

    def _no_label_among_features(self) -> None:
        read = {column: feature.name for feature in self.features for column in columns_of(feature)}
        owners = {column_of(task): task.name for task in self.tasks}
        for task in self.tasks:
            if column_of(task) in read:
                label, feature = column_of(task), read[column_of(task)]
                raise ValueError(f"feature {feature!r} reads {label!r}, which is the label of task {task.name!r}")
            if task.weight_column == column_of(task):
                raise ValueError(f"task {task.name!r}: its weight_column is its label")
            for beside in task.columns_of_labels[1:]:
                if beside in owners:
                    raise ValueError(f"task {task.name!r} reads {beside!r} beside its label, and it is a label itself")
            if isinstance(task, Binary) and task.seen in read:
                raise ValueError(
                    f"feature {read[task.seen]!r} reads {task.seen!r}, which tells the label of task {task.name!r}"
                )
            for known in task.known_columns:
                if known in owners:
                    raise ValueError(
                        f"task {task.name!r} needs {known!r} beforehand, which is the label of task {owners[known]!r}"
                    )

    def _check_tasks(self) -> None:
        tasks = self.tasks_by_name
        check_relations(tasks)
        outputs = [output for task in self.tasks for output in outputs_of(task, tasks)]
        _unique("prediction", outputs)
        self._check_known(outputs)
        self._check_times()
        for name in RESERVED:
            if name in outputs:
                raise ValueError(
                    f"no prediction can be called {name!r}: give the task another name, and column={name!r}"
                )
        for task in self.tasks:
            if isinstance(task, Binary) and task.ranking is not None and self.group is None:
                raise ValueError(f"task {task.name!r}: ranking compares rows of a group, and the schema has no 'group'")
            if isinstance(task, Binary) and task.loss == "jrc" and self.group is None:
                raise ValueError(f"task {task.name!r}: jrc compares rows of a group, and the schema has no 'group'")

    def _check_times(self) -> None:
        """Refuse a column of times that is in seconds for one task and in its own unit for another."""
        read: dict[str, Task] = {}
        for task in self.tasks:
            if task.time is not None:
                first = read.setdefault(task.time, task)
                if isinstance(first.delay, str) != isinstance(task.delay, str):
                    found = f"{first.delay!r} of task {first.name!r} and {task.delay!r} of task {task.name!r}"
                    raise ValueError(f"delays by {task.time!r}: expected texts or numbers, found {found}")

    def _check_context(self) -> None:
        read = [column for feature in self.features for column in columns_of(feature)]
        read += self.known_columns
        for name in self.context:
            if name not in read:
                raise ValueError(f"context {name!r} is no column that a feature reads{did_you_mean(name, read)}")

    def _check_known(self, outputs: list[str]) -> None:
        labels = {column_of(task): task.name for task in self.tasks}
        for name in self.known:
            if name in labels:
                raise ValueError(f"known {name!r} is the label of task {labels[name]!r}, which nobody knows beforehand")
            if name in (*outputs, *RESERVED):
                raise ValueError(f"known {name!r} is the name of a prediction, too")

    @override
    def __repr__(self) -> str:
        """Return one line: the number and the first names of features and tasks."""
        return f"<Schema {line_of(self.features, self.tasks)}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    def grids(self) -> list[Grid]:
        """Return the tables that a notebook shows: features and tasks, each with the options that were given."""
        features = [(feature, columns_of(feature)) for feature in self.features]
        tasks = [(task, (column_of(task),)) for task in self.tasks]
        groups = f"groups: {self.group}" if self.group else ""
        return [
            declared_grid(["feature", "kind", "reads", "options"], features),
            declared_grid(["task", "kind", "label", "options"], tasks, groups),
        ]

    @property
    def categorical(self) -> dict[str, Categorical]:
        """The categorical features by name, whose tables others may share."""
        return {feature.name: feature for feature in self.features if isinstance(feature, Categorical)}

    @property
    def known_columns(self) -> tuple[str, ...]:
        """All columns that predicting needs beside the features: those of tasks, then those of fusions."""
        return tuple(dict.fromkeys([*(name for task in self.tasks for name in task.known_columns), *self.known]))

    @property
    def tasks_by_name(self) -> dict[str, Task]:
        """The tasks by name."""
        return {task.name: task for task in self.tasks}

    def _check_shared(self, feature: Feature, owner: str) -> None:
        owners = {name: each for name, each in self.categorical.items() if each is not feature}
        what = f"{feature.kind} {feature.name!r}"
        if owner not in owners:
            hint = did_you_mean(owner, owners)
            raise ValueError(f"{what} shares {owner!r}, which is no categorical feature{hint}")
        if (further := owners[owner].shares) is not None:
            raise ValueError(
                f"{what} shares {owner!r}, which has no table of its own: name {further!r}, which it shares"
            )
        unsaid = DEFAULT_DIM if isinstance(feature, Categorical) else None
        dim = getattr(feature, "dim", None)
        if dim not in (unsaid, owners[owner].dim):
            dims = f"{dim}, the shared table of {owner!r} has {owners[owner].dim}"
            raise ValueError(f"{what} has dim {dims}")

    def embedding_numbers(self, embedding: NumberEmbedding | None) -> Schema:
        """Return this schema with an embedding for every number that declares none; buckets are embedded already."""
        if embedding is None:
            return self
        features = [
            replace(feature, embedding=embedding)
            if isinstance(feature, Numeric) and feature.embedding is None and feature.transform != "bucket"
            else feature
            for feature in self.features
        ]
        return replace(self, features=features)

    def only(self, *names: str) -> Schema:
        """Return this schema with only the named tasks and the tasks that their labels depend on.

        Towers that would read the tower of another task no longer do.

        Raises:
            DeclarationError: a name is not a task's.
        """
        known = self.tasks_by_name
        kept: dict[str, Task] = {}
        for name in names:
            if name not in known:
                raise DeclarationError(f"no task {name!r} (tasks: {shown(known)}){did_you_mean(name, known)}")
            needed = _needed(known[name], known)
            kept |= {task.name: task for task in self.tasks if task.name in needed and task.name not in kept}
        apart = [replace(task, reads=[name for name in task.reads if name in kept]) for task in kept.values()]
        return replace(self, tasks=apart)

    @classmethod
    def from_table(
        cls,
        table: Any,
        tasks: collections.abc.Sequence[str | Task] | None = None,
        *,
        time: str | None = None,
        group: str | None = None,
    ) -> Schema:
        """Return a schema that is proposed for a table: features, kinds of tasks and group, from names and values.

        A sample of a large table is looked at. Left out are constant and unreadable columns, ids that are unique per
        row, times, columns named like labels, and columns that alone decide a label. ``gatewise.look.propose`` gives
        the reasons and a split, and ``gatewise init`` writes all of it as a recipe.

        Args:
            table: any table, see :func:`gatewise.data.read_table`.
            tasks: names of label columns, or declarations of tasks; None: proposed.
            time: the column of the rows' time, which is no feature; ``none``: there is none; None: proposed.
            group: the column of group ids; ``none``: there is none; None: proposed.

        Raises:
            TableError: the table cannot be read, lacks a named column, or no column can be a label or a feature.

        Warns:
            GatewiseWarning: a column leaks a label or may, the tasks are a guess, a label cannot be learnt.

        Example:
            >>> from gatewise import Schema
            >>> log = {"user_id": [1, 2, 3, 4] * 30, "price": [0.5, 2.0, 1.5] * 40, "click": [0, 1, 1, 0, 1] * 24}
            >>> Schema.from_table(log, tasks=["click"]).features[0].kind
            'categorical'
        """
        from gatewise.look import schema_from_table

        return schema_from_table(table, tasks, time=time, group=group)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists for :meth:`from_dict`."""
        plain: dict[str, Any] = to_dict(self)
        return plain

    @classmethod
    def from_dict(cls, values: Any, source: str = "") -> Schema:
        """Return the schema of plain values; errors name the path of unknown keys."""
        return from_dict(cls, values, source)

    def to_json(self) -> str:
        """Return the schema as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Return the schema of a text from :meth:`to_json`."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise DeclarationError(f"schema: is not valid JSON: {error}") from None
        return cls.from_dict(values)

    def to_yaml(self) -> str:
        """Return the schema as YAML."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Schema:
        """Return the schema of a text from :meth:`to_yaml`."""
        return cls.from_dict(read_yaml(text, "schema"))


def _needed(task: Task, tasks: dict[str, Task]) -> set[str]:
    """Return the names of a task and of the tasks on which the task depends."""
    others = [*path_to(task, tasks), task.within, getattr(task, "through", None)]
    return {task.name}.union(*(_needed(tasks[name], tasks) for name in others if name is not None))


def column_of(declared: Feature | Label) -> str:
    """Return the table column that a feature or a task reads."""
    return declared.column or declared.name


def columns_of(feature: Feature) -> tuple[str, ...]:
    """Return all table columns that a feature reads, its own first."""
    if isinstance(feature, Events):
        return feature.columns
    further = () if not isinstance(feature, Sequence) or feature.weights is None else (feature.weights,)
    return (column_of(feature), *further)


def sequence_of(part: EventId, events: Events) -> Sequence:
    """Return the declaration of an event's part as a sequence of its own."""
    return Sequence(
        events.part(part.name),
        part.dim,
        separator=events.separator,
        shares=part.shares,
        min_count=part.min_count,
        keep_days=part.keep_days,
        max_rows=part.max_rows,
        hash_buckets=part.hash_buckets,
        column=part.column or part.name,
        dtype=part.dtype,
        size=part.size,
    )


def embedding_dim(feature: Feature, schema: Schema) -> int:
    """Return the width of a feature's embedding; for a shared table, the width of that table."""
    if (owner := shared_table(feature)) is not None:
        return schema.categorical[owner].dim
    if isinstance(feature, Events):
        widths = [embedding_dim(sequence_of(part, feature), schema) for part in feature.ids]
        return sum(widths) + len(feature.numbers)
    if isinstance(feature, Sequence):
        return feature.dim or DEFAULT_DIM
    return getattr(feature, "dim", 0)


def _unique(what: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is declared twice")
