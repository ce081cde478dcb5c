"""Doors: users' registered kinds, declared like built-in kinds.

This module never calls a registered class. The class's declaration follows from the constructor's signature: one
option per argument that has a type and that the builder does not pass.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, fields, is_dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from gatewise.declare.base import REGISTERED, declaration
from gatewise.errors import DeclarationError, did_you_mean, shown


@declaration
class RegisteredPooling:
    """Base of all registered poolings; has no options."""


@declaration
class RegisteredMetric:
    """Base of all registered metrics; has no options."""


@declaration
class RegisteredCallback:
    """Base of all registered reporters; has no options."""


_DECLARATIONS: dict[str, dict[str, type]] = {}
"""For every door the declarations of registered kinds, by kind."""
_CLASSES: dict[type, Any] = {}
"""For every such declaration what was registered."""
_BUILT_IN: dict[str, set[str]] = {}
"""For every door the built-in kinds."""


def register_kind(
    door: str, kind: str, cls: type, base: type, given: Collection[str], required: Collection[str] = ()
) -> type:
    """Register a kind at a door and return its declaration; replaces an earlier kind of that name.

    Args:
        door: name of the door, such as ``trunk``.
        kind: name of the kind in declarations.
        cls: the class to build from the declaration.
        base: base class of the declarations of the door's kinds.
        given: constructor arguments that the builder can pass.
        required: arguments among ``given`` that the constructor must have.

    Raises:
        DeclarationError: the kind is a built-in kind, or an argument has no type or is missing.
    """
    name = f"register {kind!r}: {cls.__name__}"
    if kind in _BUILT_IN.get(door, ()):
        raise DeclarationError(f"register {kind!r}: it is a built-in {door}, take another name")
    parameters = inspect.signature(cls).parameters
    for needed in required:
        if needed not in parameters:
            raise DeclarationError(f"{name}: its constructor takes no {needed!r} (takes {shown(parameters)})")
    hints, common = _hints_of(cls), {option.name for option in fields(base)}
    options: dict[str, Any] = {}
    for option, parameter in parameters.items():
        if option in given or option in common or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise DeclarationError(f"{name}: its constructor takes *{option}: name every option")
        if option not in hints:
            raise DeclarationError(f"{name}: argument {option!r} of its constructor has no type")
        options[option] = (_as_tuple(hints[option]), parameter.default)
    made = _declaration(cls, kind, base, options)
    register_declared(door, kind, made, cls)
    return made


def register_declared(door: str, kind: str, made: type, cls: type) -> None:
    """Register a hand-written declaration at a door, with the class to build from it."""
    _DECLARATIONS.setdefault(door, {})[kind] = made
    _CLASSES[made] = cls
    REGISTERED[kind] = made


def _hints_of(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls.__init__, include_extras=True)


def _declaration(cls: type, kind: str, base: type, options: Mapping[str, tuple[Any, Any]]) -> type:
    """Return a declaration class with the given options: types and defaults by name."""
    hints = {name: hint for name, (hint, _) in options.items()} | {"kind": Literal[kind]}
    values: dict[str, Any] = {name: _field(default) for name, (_, default) in options.items()}
    values["kind"] = field(default=kind, kw_only=True, repr=False)
    text = (inspect.getdoc(cls) or cls.__name__).splitlines()[0]
    body = {"__annotations__": hints, "__doc__": text, "__module__": cls.__module__, "__reduce__": _reduce, **values}
    return declaration(type(cls.__name__, (base,), body))


def _reduce(declared: Any) -> tuple[Any, ...]:
    """Pickle a declaration as its kind and the module that registers the kind."""
    options = {option.name: getattr(declared, option.name) for option in fields(declared)}
    return _declared_again, (_CLASSES[type(declared)].__module__, declared.kind, options)


def _declared_again(module: str, kind: str, options: dict[str, Any]) -> Any:
    if kind not in REGISTERED and module == "__main__":
        raise DeclarationError(
            f"{kind!r} is registered by the program itself, and another process does not know it: register it in a "
            "module that the program imports, or take one worker"
        )
    importlib.import_module(module)
    return REGISTERED[kind](**options)


def _as_tuple(hint: Any) -> Any:
    """Return a type whose lists become tuples, so that the declaration has a hash."""
    return Annotated[hint, AfterValidator(tuple)] if get_origin(hint) is list else hint


def _field(default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return field(kw_only=True)
    return field(default=tuple(default) if isinstance(default, list) else default, kw_only=True)


def class_of(declared: Any) -> Any:
    """Return the class registered for a declaration, or None for a built-in kind."""
    return _CLASSES.get(type(declared))


def made_of(declared: Any, **given: Any) -> Any:
    """Return an object of the registered class, built from the declared options and the builder's arguments.

    Args:
        declared: a declaration of a registered kind.
        **given: the builder's arguments; those that the constructor does not have are left out.
    """
    cls = _CLASSES[type(declared)]
    options = {option.name: getattr(declared, option.name) for option in fields(declared) if option.name != "kind"}
    return cls(**taken_by(cls, options | given))


def taken_by(cls: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values whose names are arguments of a constructor."""
    parameters = inspect.signature(cls).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return dict(values)
    return {name: value for name, value in values.items() if name in parameters}


def registered_in(declared: Any) -> dict[str, str]:
    """Return the registered kinds within declarations, each with the module that registers the kind."""
    if isinstance(declared, (list, tuple)):
        parts: Iterable[Any] = declared
    elif is_dataclass(declared):
        parts = [getattr(declared, option.name) for option in fields(declared)]
    else:
        return {}
    cls = class_of(declared)
    found = {} if cls is None else {declared.kind: cls.__module__}
    return found | {kind: module for part in parts for kind, module in registered_in(part).items()}


def is_registered(kind: str) -> bool:
    """Return whether a kind is registered at any door."""
    return kind in REGISTERED


def registered(door: str) -> dict[str, type]:
    """Return the declarations of all kinds that are registered at a door."""
    return dict(_DECLARATIONS.get(door, {}))


class OpenTo:
    """Annotation after a union of built-in kinds: also accepts the kinds registered at a door."""

    def __init__(self, door: str) -> None:
        self.door = door

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a pydantic schema that tries the registered kinds first, then the built-in kinds."""
        self._ours = source is not Any
        _BUILT_IN.setdefault(self.door, set()).update(kinds_in(source))
        # a registered kind is written by its own declaration
        written = core_schema.simple_ser_schema("any")
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source), serialization=written)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return a JSON Schema that also takes the kinds that are registered now."""
        ours, kinds = handler(core), _DECLARATIONS.get(self.door, {})
        own = [_in_json(handler(TypeAdapter(made).core_schema), kind) for kind, made in kinds.items()]
        return {"anyOf": [ours, {"enum": list(kinds)}, *own]} if own and self._ours else ours

    def _validate(self, value: Any, ours: Callable[[Any], Any]) -> Any:
        kinds = _DECLARATIONS.get(self.door, {})
        if isinstance(value, tuple(kinds.values())):
            return value
        kind, options = _kind_of(value, kinds)
        if kind in kinds:
            return _validated(kind, kinds[kind], options)
        if not self._ours:
            hint = did_you_mean(str(kind), kinds) or "; it is registered by importing its module first"
            raise ValueError(f"expected a registered {self.door} ({shown(kinds)}), found {kind or value!r}{hint}")
        try:
            return ours(value)
        except ValidationError as error:
            raise _with_registered(error, self.door) from None


def _in_json(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a registered kind; its ``kind`` is required, so that it is no other kind."""
    own = {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"allOf": [schema, own]}


def kinds_in(annotation: Any) -> set[str]:
    """Return the kinds of all declarations in a union."""
    if is_dataclass(annotation):
        return {str(option.default) for option in fields(annotation) if option.name == "kind"}
    return {kind for part in get_args(annotation) for kind in kinds_in(part)}


def _kind_of(value: Any, kinds: Mapping[str, type]) -> tuple[Any, Any]:
    """Return the kind and the options of a value."""
    if isinstance(value, type):
        return next((kind for kind, made in kinds.items() if value in (made, _CLASSES[made])), None), {}
    kind, options = (value.get("kind"), value) if isinstance(value, Mapping) else (value, {})
    return kind if isinstance(kind, str) else None, options


def _validated(kind: str, declared: type, options: Any) -> Any:
    try:
        return TypeAdapter(declared).validate_python(dict(options))
    except ValidationError as error:
        raise _relocated(error, (kind,)) from None


def _relocated(error: ValidationError, before: tuple[str, ...]) -> ValidationError:
    """Return the error with ``before`` in front of its path."""
    lines = [
        InitErrorDetails(
            type=each["type"],
            loc=(*before, *each["loc"]),
            input=each["input"],
            ctx=each.get("ctx", {}),
        )
        for each in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data(error.title, lines)


def _with_registered(error: ValidationError, door: str) -> Exception:
    """Return the error; an unknown kind's error also lists the registered kinds."""
    problem = error.errors(include_url=False)[0]
    place = (problem["type"], problem["loc"])
    if place == ("union_tag_invalid", ()):
        found, expected = problem["ctx"]["tag"][:80], problem["ctx"]["expected_tags"]
    elif place == ("literal_error", ("kind",)) and isinstance(problem["input"], str):
        found, expected = problem["input"][:80], problem["ctx"]["expected"]
    else:
        return error
    known = [*(tag.strip(" '") for tag in expected.split(",")), *registered(door)]
    hint = did_you_mean(found, known) or "; kinds of one's own are registered by importing their module first"
    return ValueError(f"expected kind {', '.join(map(repr, known))}, found {found!r}{hint}")
