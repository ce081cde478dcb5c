"""The JSON Schema of recipes, by which editors complete and check them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import PydanticJsonSchemaWarning

from gatewise.declare.meanings import OptionsInDocstring, meanings
from gatewise.declare.recipe import Recipe

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema of recipes: every option with its type, its default and its meaning.

    Kinds that are registered at the time of the call are part of it.
    """
    with warnings.catch_warnings():
        # the default of an option such as a mapping of our own has no form in JSON, and needs none
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        schema = TypeAdapter(Recipe).json_schema()
    declared = {each.__name__: each for each in declarations(Recipe)}
    _describe(schema, Recipe)
    for name, part in schema["$defs"].items():
        if name in declared:
            _describe(part, declared[name])
    return {"$schema": DIALECT, "title": "Recipe of Gatewise"} | schema | {"title": "Recipe of Gatewise"}


def _describe(schema: dict[str, Any], cls: type) -> None:
    known = meanings(cls)
    schema["description"] = summary(cls)
    for name, option in schema.get("properties", {}).items():
        option.pop("title", None)
        if name in known:
            option["description"] = known[name]


def summary(cls: type) -> str:
    """Return the first paragraph of a declaration's docstring, as one line."""
    doc = cls.__dict__["__doc__"]
    text = doc.text if isinstance(doc, OptionsInDocstring) else doc
    return " ".join(text.strip().split("\n\n")[0].split())


def declarations(root: Any) -> Iterator[type]:
    """Yield a declaration and all declarations that its options can hold, each once, in the order of its options."""
    seen: set[type] = set()

    def within(hint: Any) -> Iterator[type]:
        if isinstance(hint, type) and is_dataclass(hint):
            if hint in seen:
                return
            seen.add(hint)
            yield hint
            for part in get_type_hints(hint, include_extras=True).values():
                yield from within(part)
        for part in get_args(hint):
            yield from within(part)

    yield from within(root)
