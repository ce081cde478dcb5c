"""Labels of users' own kinds of tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, JsonValue, PlainSerializer
from typing_extensions import override

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import Label


class CustomOptions(Mapping[str, Any]):
    """An immutable, hashable mapping of JSON values.

    Example:
        >>> CustomOptions({"margin": 0.5})["margin"], CustomOptions({"margin": 0.5}) == {"margin": 0.5}
        (0.5, True)
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._text = json.dumps(dict(options), sort_keys=True, allow_nan=False)
        self._options: dict[str, Any] = json.loads(self._text)

    @override
    def __getitem__(self, name: str) -> Any:
        return self._options[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    @override
    def __len__(self) -> int:
        return len(self._options)

    @override
    def __hash__(self) -> int:
        return hash(self._text)

    @override
    def __repr__(self) -> str:
        return repr(self._options)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON and YAML."""
        plain: dict[str, Any] = json.loads(self._text)
        return plain


def _frozen(options: Mapping[str, Any]) -> CustomOptions:
    for name in ("name", "weight", "within", "mean", "std"):
        if name in options:
            raise ValueError(f"{name!r} is given by the declaration or learnt from the labels")
    return CustomOptions(options)


@declaration
class Custom(Label):
    """A numeric label of a user's own kind, registered by ``gatewise.tasks.register``.

    Example:
        >>> Custom("dwell", by="log_cosh", options={"sharpness": 2.0}).options
        {'sharpness': 2.0}
    """

    by: Name = field(kw_only=True)
    """The registered name of the kind."""
    options: Annotated[
        Mapping[Name, JsonValue], AfterValidator(_frozen), PlainSerializer(CustomOptions.plain, return_type=dict)
    ] = field(default=CustomOptions({}), kw_only=True)
    """Further arguments of the kind's constructor, after name, weight and label statistics: JSON values by name."""
    kind: Literal["custom"] = field(default="custom", kw_only=True, repr=False)
