"""Base of all declarations: frozen, validated, unknown keys refused, one readable line per mistake."""

from __future__ import annotations

import functools
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import ArgsKwargs, CoreSchema, core_schema

from gatewise.aliases import ours_for
from gatewise.declare.meanings import OptionsInDocstring
from gatewise.declare.strict_yaml import StrictLoader
from gatewise.errors import DeclarationError, did_you_mean

T = TypeVar("T")

Dims = Annotated[Sequence[Annotated[int, Field(gt=0)]], AfterValidator(tuple)]
"""Layer widths: any sequence of positive integers, kept as a tuple."""

Name = Annotated[str, Field(min_length=1)]


def _no_name_twice(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if list(names).count(name) > 1:
            raise ValueError(f"{name!r} is named twice")
    return tuple(names)


Names = Annotated[Sequence[Name], AfterValidator(_no_name_twice)]
"""Names of features or tasks, each once, kept as a tuple."""


def _whole_or_text(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63):
        return value
    raise ValueError(f"expected an integer of 64 bits or a text, found {_short(value)}")


KeyValue = Annotated[int | str, BeforeValidator(_whole_or_text)]
"""A value of a column of ids or categories."""

Rate = Annotated[float, Field(ge=0, lt=1)]
"""A probability below one."""

CONFIG = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Shorthand:
    """Annotation: a text stands for a mapping with one option, ``"uncertainty"`` for ``{"kind": "uncertainty"}``."""

    def __init__(self, option: str) -> None:
        self.option = option

    def _mapping(self, value: Any) -> Any:
        return {self.option: value} if isinstance(value, str) else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a pydantic schema that takes texts, too."""
        return core_schema.no_info_before_validator_function(self._mapping, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return a JSON Schema that takes texts, too: the kinds, where a text is one."""
        mapping = handler(core)
        kinds = sorted(set(_kinds_of(mapping)))
        return {"anyOf": [{"enum": kinds} if kinds else {"type": "string"}, mapping]}


def _kinds_of(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the kinds that the JSON Schema of a union tells apart, those of people's own included."""
    yield from schema.get("discriminator", {}).get("mapping", {})
    yield from schema.get("enum", ())
    for part in schema.get("anyOf", ()):
        yield from _kinds_of(part)


shorthand = Shorthand("kind")

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Stands for a value that the table decides."""


def _number_or_auto(value: Any) -> str:
    if not isinstance(value, str):
        return "number"
    try:
        float(value)
    except ValueError:
        return "auto"
    return "number"


number_or_auto = Discriminator(_number_or_auto)
"""Tells a number, also one written as text, from ``"auto"``, so that a mistake is judged as what it was meant to be."""
N = TypeVar("N", int, float)


def number_of(value: N | Auto, option: str) -> N:
    """Return a number that is known.

    Raises:
        DeclarationError: the table has not decided it yet; names the option.
    """
    if isinstance(value, str):
        raise DeclarationError(f"{option}: is {AUTO!r}, and no table has decided it yet")
    return value


number_or_list = Discriminator(lambda value: "list" if isinstance(value, (list, tuple)) else "number")
"""Tells a number from a list where an option takes either, so that a mistake is judged as what it was meant to be."""


@dataclass_transform(frozen_default=True)
def declaration(cls: type[T]) -> type[T]:
    """Make a class of annotated fields a frozen, validated declaration that refuses unknown keys.

    Raises:
        DeclarationError: on construction, one line per invalid or unknown option.
    """
    _refuse_truth_for_numbers(cls)
    made = cast("type[T]", pydantic_dataclass(frozen=True, config=CONFIG)(cls))
    validate: Callable[..., None] = made.__init__

    @functools.wraps(validate)
    def explained(self: T, *args: Any, **options: Any) -> None:
        try:
            validate(self, *args, **options)
        except ValidationError as error:
            raise DeclarationError("; ".join(explain(error, cls))) from None
        except TypeError as error:
            raise DeclarationError(f"{cls.__name__}: {error}") from None

    made.__init__ = explained  # type: ignore[method-assign, assignment]
    made.__doc__ = OptionsInDocstring(cls.__doc__ or "")  # type: ignore[assignment]
    return made


def _refuse_truth_for_numbers(cls: type) -> None:
    """Make a class refuse booleans as numbers: pydantic would read true and false as 1 and 0."""

    def check(_: type, given: Any) -> Any:
        options = given.kwargs if isinstance(given, ArgsKwargs) else given
        if not isinstance(options, dict):
            return given
        hints = get_type_hints(cls)
        for name, value in options.items():
            parts = value if isinstance(value, (list, tuple)) else [value]
            truths = [part for part in parts if isinstance(part, bool)]
            if truths and name in hints and _is_number(hints[name]):
                raise ValueError(f"{name}: expected a number, found {str(truths[0]).lower()}")
        return given

    cls.no_truth_for_numbers = model_validator(mode="before")(classmethod(check))  # type: ignore[attr-defined, arg-type]


def _is_number(hint: Any) -> bool:
    """Whether a type holds numbers, alone or in lists, but no strings and no booleans."""
    kinds = set(_leaves(hint))
    return bool(kinds & {int, float}) and not kinds & {bool, str, Any}


def _leaves(hint: Any) -> Iterator[Any]:
    parts = get_args(hint)
    if not parts:
        yield hint
    for part in parts:
        yield from _leaves(part)


def to_dict(declared: Any, *, defaults: bool = True) -> Any:
    """Return a declaration as plain dicts, lists, strings and numbers, with or without options at their defaults."""
    return TypeAdapter(type(declared)).dump_python(declared, mode="json", exclude_defaults=not defaults)


def from_dict(cls: type[T], values: Any, source: str = "") -> T:
    """Build a declaration from plain values.

    Args:
        cls: the declaration class.
        values: values as :func:`to_dict` returns them, or as a user writes them in YAML.
        source: the file that holds the values; every message starts with its name.

    Raises:
        DeclarationError: names the path of every unknown key and invalid value at once.
    """
    try:
        return TypeAdapter(cls).validate_python(values)
    except ValidationError as error:
        prefix = f"{source}: " if source else ""
        raise DeclarationError("\n".join(prefix + line for line in explain(error, cls))) from None


def read_yaml(text: str, source: str) -> Any:
    """Parse YAML or JSON safely; a syntax error becomes one line with its position."""
    try:
        return yaml.load(text, Loader=StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DeclarationError(f"{source}:{place} is not valid YAML: {problem}") from None
    except RecursionError:
        raise DeclarationError(f"{source}: is not valid YAML: it is nested too deeply") from None
    except ValueError as error:
        # written like a date or number, but invalid, such as 2024-13-45
        raise DeclarationError(f"{source}: is not valid YAML: {error}") from None


def read_yaml_file(path: str | Path, what: str, members: str) -> dict[str, Any]:
    """Return the mapping in a file.

    Args:
        path: a YAML (or JSON) file.
        what: what the file is, such as ``recipe``, for messages.
        members: what the mapping should have, for messages.

    Raises:
        DeclarationError: the file is absent, is not YAML, or holds something else.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DeclarationError(f"{what} {str(path)!r} is not UTF-8 text") from None
    except OSError as error:
        raise DeclarationError(f"cannot read {what} {str(path)!r}: {error.strerror}") from None
    values: Any = read_yaml(text, str(path))
    if not isinstance(values, dict):
        raise DeclarationError(f"{path}: expected a mapping with {members}")
    return values


DESCRIBED = 50
"""Mistakes that are described one by one."""


def explain(error: ValidationError, owner: type) -> list[str]:
    """Return a validation error as one line per problem: path, expected, found, nearest name."""
    found = error.errors(include_url=False)
    lines = [_line(problem, owner) for problem in found[:DESCRIBED]]
    return lines if len(found) <= DESCRIBED else [*lines, f"{owner.__name__}: {len(found) - DESCRIBED:,} more mistakes"]


def _line(problem: Any, owner: type) -> str:
    location = tuple(problem["loc"])
    if problem["type"] != "invalid_key":
        location = _by_name(owner, location)
    where, known = _resolve(owner, location)
    name = owner.__name__ + (f".{where}" if where and not where.startswith("[") else where)
    match problem["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            return f"{name}: unknown option{_hint(str(location[-1]), known, owner if len(location) == 1 else None)}"
        case "missing" | "missing_argument":
            return f"{name}: is required"
        case "union_tag_invalid":
            found, expected = problem["ctx"]["tag"][:80], problem["ctx"]["expected_tags"]
            hint = did_you_mean(found, [tag.strip(" '") for tag in expected.split(",")])
            return f"{name}: expected kind {expected}, found {found!r}{hint}"
        case "union_tag_not_found":
            return f"{name}: needs a 'kind'"
        case "literal_error":
            expected = problem["ctx"]["expected"]
            found, known = _short(problem["input"]), expected.replace(" or ", ", ").replace("'", "").split(", ")
            return f"{name}: expected {expected}, found {found}{did_you_mean(found.strip(QUOTES), known)}"
        case "model_attributes_type" | "dataclass_type":
            return f"{name}: expected a declaration or a mapping of its options, found {_short(problem['input'])}"
        case "value_error":
            return f"{name}: {problem['ctx']['error']}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{name}: {message}, found {_short(problem['input'])}"


def _hint(option: str, known: list[str], owner: Any) -> str:
    """Return the option that was meant: of this declaration, or of a part of it; without one, the options there are."""
    near = did_you_mean(option, known)
    inner = None if owner is None or near else path_of(owner, option)
    if inner is not None:
        return f"; did you mean {inner!r}?"
    return near or f" (options: {', '.join(name for name in known if name != 'kind')})"


def path_of(owner: Any, option: str) -> str | None:
    """Return the path of an option of a declaration's parts, such as ``training.epochs``; None: no part has it.

    What other libraries call the option is found, too.
    """
    for name, hint in get_type_hints(owner, include_extras=True).items():
        part = _unwrap(hint)
        if is_dataclass(part):
            options = [each.name for each in fields(part)]
            found = option if option in options else ours_for(option, options)
            if found is not None:
                return f"{name}.{found}"
    return None


def _by_name(owner: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Replace the position of an argument in an error's location by the option's name."""
    positional = [option.name for option in fields(owner) if not option.kw_only]
    if location and isinstance(location[0], int) and location[0] < len(positional):
        return positional[location[0]], *location[1:]
    return location


SHOWN = reprlib.Repr()
"""Shows the beginning of a value, however large it is, and however often it holds the same one."""
SHOWN.maxlevel, SHOWN.maxstring, SHOWN.maxother, SHOWN.maxlong = 3, 80, 80, 80
SHOWN.maxlist = SHOWN.maxtuple = SHOWN.maxset = SHOWN.maxdict = 20


QUOTES = "'\""


def _short(value: Any) -> str:
    text = SHOWN.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


REGISTERED: dict[int | str, type] = {}
"""Declarations of kinds that people registered, by kind."""


def _resolve(owner: Any, location: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """Return an error's path without union tags, and the names that are known at its end."""
    path, current = "", owner
    for step in location:
        current = _unwrap(current)
        if step in _tagged(current):
            current = _tagged(current)[step]
            continue
        variants = _variants(current)
        if isinstance(step, int):
            path, current = f"{path}[{step}]", next(iter(get_args(current)), None)
        elif get_origin(current) is Mapping:
            path, current = f"{path}.{step}", get_args(current)[1]
        elif step in variants:
            current = variants[step]
        elif step in REGISTERED:
            current = REGISTERED[step]
        elif is_dataclass(current):
            path = f"{path}.{step}" if path else step
            current = get_type_hints(current, include_extras=True).get(step, current)
    return path, [f.name for f in fields(current)] if is_dataclass(current) else []


def _tagged(annotation: Any) -> dict[int | str, Any]:
    """Return the members of a tagged union by tag."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return {
        extra.tag: member
        for member in members
        if get_origin(member) is Annotated
        for extra in get_args(member)[1:]
        if isinstance(extra, Tag)
    }


def _unwrap(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    present = [member for member in members if member is not type(None)]
    return _unwrap(present[0]) if len(present) == 1 else annotation


def _variants(annotation: Any) -> dict[int | str, Any]:
    """Return the members of a union by ``kind``."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    kinds = {}
    for member in members:
        if is_dataclass(member):
            kind = get_type_hints(member).get("kind")
            if get_origin(kind) is Literal:
                kinds[get_args(kind)[0]] = member
    return kinds
