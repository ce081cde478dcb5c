"""Options that are given by name: groups of tasks, widths per task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, PlainSerializer, Tag
from typing_extensions import override

from gatewise.declare.base import Name

T = TypeVar("T")


class ByName(Mapping[str, tuple[T, ...]], Generic[T]):
    """An immutable, hashable mapping from names to tuples, such as from groups to tasks.

    Example:
        >>> groups = ByName({"watch": ["click", "long_view"], "interact": ["like"]})
        >>> groups["watch"], groups == ByName({"interact": ["like"], "watch": ["click", "long_view"]})
        (('click', 'long_view'), True)
    """

    def __init__(self, values: Mapping[str, Sequence[T]]) -> None:
        self._values = {name: tuple(each) for name, each in values.items()}

    @override
    def __getitem__(self, name: str) -> tuple[T, ...]:
        return self._values[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    @override
    def __repr__(self) -> str:
        return repr(self._values)

    def plain(self) -> dict[str, list[T]]:
        """Return plain values for JSON and YAML."""
        return {name: list(each) for name, each in self._values.items()}


def _disjoint(groups: Mapping[str, Sequence[str]]) -> ByName[str]:
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
    return ByName(groups)


TaskGroups = Annotated[
    Mapping[Name, Sequence[Name]], AfterValidator(_disjoint), PlainSerializer(ByName.plain, return_type=dict)
]
"""Groups of tasks, none in two groups: any mapping from names to sequences of names, kept as :class:`ByName`."""


def _no_truth(width: Any) -> Any:
    if isinstance(width, bool):
        raise ValueError(f"expected a number, found {str(width).lower()}")
    return width


Widths = Sequence[Annotated[int, Field(gt=0), BeforeValidator(_no_truth)]]
DimsByTask = Annotated[
    Annotated[Widths, AfterValidator(tuple), Tag("list")]
    | Annotated[
        Mapping[Name, Widths],
        AfterValidator(ByName),
        PlainSerializer(ByName.plain, return_type=dict),
        Tag("mapping"),
    ],
    Discriminator(lambda value: "mapping" if isinstance(value, Mapping) else "list"),
]
"""Layer widths for all tasks; or a mapping from each task to its own, kept as :class:`ByName`."""


def _nested(value: Any) -> str:
    return "levels" if isinstance(value, Sequence) and any(isinstance(part, Sequence) for part in value) else "widths"


DimsByLevel = Annotated[
    Annotated[Widths, AfterValidator(tuple), Tag("widths")]
    | Annotated[Sequence[Annotated[Widths, AfterValidator(tuple)]], AfterValidator(tuple), Tag("levels")],
    Discriminator(_nested),
]
"""Layer widths for all levels, or a list with the widths of each level."""
