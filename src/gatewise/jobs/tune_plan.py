"""What all trials of a search share: the recipe, the goals, and the options that a trial changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gatewise.assembly import build_tasks
from gatewise.declare import Range, Recipe, from_dict, search_space, with_option
from gatewise.errors import DeclarationError, did_you_mean
from gatewise.files import write_text
from gatewise.jobs.tables import Tables, find_tables
from gatewise.training import Monitor

FILES = ("train", "valid", "test", "table", "path")
"""Options of a recipe's data that are paths relative to the recipe."""
OWN = ("tune", "goals", "track", "cluster")
"""Parts of a recipe that a trial does not have."""


@dataclass(frozen=True)
class Plan:
    """A search, apart from its trials; any process can make it anew of these values.

    Attributes:
        values: the recipe as a mapping, as in its file.
        source: the file of the recipe, or a name of it; paths in ``values`` are relative to its folder.
        folder: the folder of the search.
        seed: of the search.
    """

    values: Mapping[str, Any]
    source: Path
    folder: Path
    seed: int

    @cached_property
    def declared(self) -> Recipe:
        """The recipe as it is."""
        return from_dict(Recipe, dict(self.values), source=str(self.source))

    @cached_property
    def space(self) -> dict[str, Range]:
        """The ranges of all options that are searched, by path."""
        return search_space(self.declared)

    @cached_property
    def monitors(self) -> list[Monitor]:
        """The goals' scores, greater is better; empty: one goal, the recipe's ``training.monitor``."""
        return [] if not self.declared.goals else _monitors(self.declared)

    @property
    def goals(self) -> list[str]:
        """The goals' names; one that is better when smaller has a minus before it, as its score has."""
        names = [f"{'-' if monitor.smaller_is_better else ''}{monitor.name}" for monitor in self.monitors]
        return names or [self.declared.training.monitor]

    @property
    def digest(self) -> str:
        """What tells one search from another; where it is made does not."""
        values = {name: value for name, value in self.values.items() if name != "cluster"}
        ranges = sorted((path, repr(each)) for path, each in self.space.items())
        text = json.dumps([values, ranges, self.seed], sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def tables(self) -> Tables:
        """Return the recipe's tables.

        Raises:
            TableError: a table does not hold what the recipe declares.
        """
        return find_tables(self.declared, self.source.parent)

    def recipe(self, options: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a trial.

        Raises:
            DeclarationError: the options do not go together.
        """
        return from_dict(Recipe, self._changed(options))

    def write(self, options: Mapping[str, Any], path: Path, output: Path) -> None:
        """Write the recipe of a trial, so that it runs as it is from the same working directory."""
        changed = self._changed(options)
        changed |= {name: self.values[name] for name in ("track", "cluster") if name in self.values}
        data = {
            name: str((self.source.parent / value).resolve()) if name in FILES and value is not None else value
            for name, value in changed["data"].items()
        }
        changed |= {"data": data, "output": str(output)}
        write_text(path, yaml.safe_dump(changed, sort_keys=False, allow_unicode=True))

    def _changed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        changed = {name: value for name, value in self.values.items() if name not in OWN}
        for path, value in sorted(options.items(), key=lambda each: each[0].count(".")):
            changed = with_option(self.declared, changed, path, value)
        return changed


def _monitors(recipe: Recipe) -> list[Monitor]:
    """Return the score of every goal: a task's own summary metric, or the metric that is named.

    Raises:
        DeclarationError: there is one goal only, or one that no task has.
    """
    goals = list(dict.fromkeys(recipe.goals))
    if len(goals) < 2:
        raise DeclarationError(
            f"goals: expected two or more, found {goals[0]!r} alone: one goal is 'training.monitor', "
            f"such as --set training.monitor={goals[0]}"
        )
    tasks = build_tasks(recipe.schema())
    summaries = {task.name: f"{task.outputs[-1]}.{task.summary.name}" for task in tasks}
    summaries |= {task.outputs[-1]: f"{task.outputs[-1]}.{task.summary.name}" for task in tasks}
    for goal in goals:
        if goal not in summaries and "." not in goal:
            hint = did_you_mean(goal, summaries)
            example = summaries[tasks[0].name]
            raise DeclarationError(
                f"goals: expected a task, or a task and a metric such as {example}, found {goal!r}{hint}"
            )
    try:
        return [Monitor(summaries.get(goal, goal), tasks) for goal in goals]
    except DeclarationError as error:
        raise DeclarationError(f"goals: {str(error).removeprefix('monitor ')}") from None
