"""Groups of tasks, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer
from typing_extensions import override

from gatewise.declare.base import Name


class Groups(Mapping[str, tuple[str, ...]]):
    """An immutable, hashable mapping from group names to task names.

    Example:
        >>> groups = Groups({"watch": ["click", "long_view"], "interact": ["like"]})
        >>> groups["watch"], groups == Groups({"interact": ["like"], "watch": ["click", "long_view"]})
        (('click', 'long_view'), True)
    """

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._tasks = {name: tuple(tasks) for name, tasks in groups.items()}

    @override
    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._tasks[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    @override
    def __len__(self) -> int:
        return len(self._tasks)

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._tasks.items()))

    @override
    def __repr__(self) -> str:
        return repr(self._tasks)

    def plain(self) -> dict[str, list[str]]:
        """Return plain values for JSON and YAML."""
        return {name: list(tasks) for name, tasks in self._tasks.items()}


def _disjoint(groups: Mapping[str, Sequence[str]]) -> Groups:
    if not groups:
        raise ValueError("expected one group of tasks or more, such as {watch: [click, long_view]}, found none")
    owners: dict[str, str] = {}
    for name, tasks in groups.items():
        if not tasks:
            raise ValueError(f"group {name!r} has no task")
        for task in tasks:
            if task in owners:
                raise ValueError(f"task {task!r} is in group {owners[task]!r} and again in {name!r}")
            owners[task] = name
    return Groups(groups)


TaskGroups = Annotated[
    Mapping[Name, Sequence[Name]], AfterValidator(_disjoint), PlainSerializer(Groups.plain, return_type=dict)
]
"""Groups of tasks, none in two groups: any mapping from names to sequences of names, kept as :class:`Groups`."""
