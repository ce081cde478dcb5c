"""Write docs/options.md, commands.md and api.md, and recipes/schema.json, from declarations, commands and public names.

python scripts/reference_pages.py [--check]

With --check nothing is written, and the exit status is 1 where a page is not what would be written.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import click
import typer

import gatewise as gw
from gatewise.cli.app import app
from gatewise.declare.architectures import Architecture
from gatewise.declare.json_schema import declarations, recipe_schema, summary
from gatewise.declare.meanings import KIND, meanings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OPTIONS, COMMANDS, API = DOCS / "options.md", DOCS / "commands.md", DOCS / "api.md"
SCHEMA = ROOT / "recipes" / "schema.json"
WRITTEN = "<!-- written by scripts/reference_pages.py: change the declarations or the commands, not this page -->"
DECLARED = {cls.__name__: cls for cls in declarations(gw.Recipe)}
MOST = 12
"""Most values of an option that are named in a table."""

OPTIONS_INTRO = f"""# Options of a recipe

{WRITTEN}

Every key of a recipe, its type, its default and its meaning. The same options are arguments in Python:
`gw.MMoE(experts=8)` is `model: {{kind: mmoe, experts: 8}}`, and `gw.Ranker` takes those of `training`.
`help(gw.MMoE)`, `gw.MMoE?` and shift-tab show them, too. `gatewise schema -o schema.json` writes them as a JSON Schema,
by which an editor with the YAML language server completes and checks a recipe whose first line is
`# yaml-language-server: $schema=schema.json`.

An option without a default is required. A text may stand for a kind with its defaults: `balance: uncertainty`.
`null` in a recipe is `None` in Python.
"""
COMMANDS_INTRO = f"""# Commands

{WRITTEN}

`gatewise COMMAND --help` prints what stands here. `gatewise --install-completion` lets a shell complete commands and
options.
"""
API_INTRO = f"""# Python

{WRITTEN}

What `import gatewise as gw` offers. The site shows the docstrings here; at a prompt `help(gw.Ranker)` does.
"""
LAYERS = {
    "nn": "Layers and models that need torch alone",
    "balance": "Balancing rules as objects",
    "training": "The training loop",
}


def options_page() -> str:
    """Return the page of all options of a recipe."""
    schema = recipe_schema()
    parts = schema["$defs"]
    text = OPTIONS_INTRO + "\n## Recipe\n\n" + _table(gw.Recipe, schema)
    for cls in DECLARED.values():
        if cls.__name__ not in parts:
            continue
        common = {each.name for each in fields(Architecture)} if issubclass(cls, Architecture) else set()
        if cls is gw.SingleTask:
            text += f"\n## {_heading(Architecture)}\n\nOptions of every model.\n\n"
            text += _table(Architecture, parts[cls.__name__])
        text += f"\n## {_heading(cls)}\n\n{summary(cls)}\n"
        if common:
            text += "\nBeside the [options of every model](#architecture):\n"
        text += "\n" + _table(cls, parts[cls.__name__], common)
    return text


def _heading(cls: Any) -> str:
    kinds = [option.default for option in fields(cls) if option.name == KIND]
    return f"{cls.__name__} (`kind: {kinds[0]}`)" if kinds else str(cls.__name__)


def _anchor(cls: Any) -> str:
    return "".join(letter for letter in _heading(cls).lower().replace(" ", "-") if letter.isalnum() or letter in "-_")


def _table(cls: Any, schema: dict[str, Any], without: Iterable[str] = ()) -> str:
    known = meanings(cls)
    rows = [
        (f"`{option.name}`", _words(schema["properties"][option.name]), _default(option), _line(known[option.name]))
        for option in fields(cls)
        if option.name != KIND and option.name not in without
    ]
    return _grid(("option", "type", "default", "meaning"), rows) if rows else "No options.\n"


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (headings, ["---"] * len(headings), *rows))


def _line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _default(option: Any) -> str:
    if option.default is MISSING:
        return "required"
    if hasattr(option.default, KIND):
        return f"`{option.default.kind}`"
    if is_dataclass(option.default):
        return "its defaults"
    return f"`{json.dumps(_plain(option.default))}`"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def _words(schema: dict[str, Any]) -> str:
    """Return the type of an option in words."""
    return " or ".join(dict.fromkeys(_alternatives(schema))) or "any value"


def _alternatives(schema: dict[str, Any]) -> Iterator[str]:
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _alternatives(part)
    if "$ref" in schema:
        cls = DECLARED.get(schema["$ref"].rpartition("/")[2])
        yield "any value" if cls is None else f"[{cls.__name__}](#{_anchor(cls)})"
    elif "enum" in schema:
        values = [f"`{json.dumps(value)}`" for value in schema["enum"]]
        yield ", ".join(values) if len(values) <= MOST else "the name of a kind"
    elif "const" in schema:
        yield f"`{json.dumps(schema['const'])}`"
    elif "type" in schema:
        yield _plain_type(schema)


def _plain_type(schema: dict[str, Any]) -> str:
    match schema["type"]:
        case "array":
            return f"list of {_words(schema['items'])}" if schema.get("items") else "list"
        case "object":
            inner = schema.get("additionalProperties")
            return f"mapping of names to {_words(inner)}" if isinstance(inner, dict) else "mapping"
        case "integer":
            return "whole number" + _bounds(schema)
        case "number":
            return "number" + _bounds(schema)
    return {"string": "text", "boolean": "true or false", "null": "null"}[schema["type"]]


def _bounds(schema: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {schema[bound]:g}" for bound, sign in signs.items() if bound in schema]
    return " " + ", ".join(found) if found else ""


def commands_page() -> str:
    """Return the page of all commands."""
    command = typer.main.get_command(app)
    context: Any = click.Context(command, info_name="gatewise")  # type: ignore[arg-type]
    return COMMANDS_INTRO + "\n## gatewise\n\n" + _options(command, context) + "".join(_described(command, context))


def _described(group: Any, context: Any) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = click.Context(command, info_name=name, parent=context)
        title = f"{context.command_path} {name}"
        yield f"\n## {title}\n\n{_help(command)}\n\n"
        if hasattr(command, "list_commands"):
            yield from _described(command, inner)
            continue
        usage = " ".join([title, *command.collect_usage_pieces(inner)])
        yield f"```console\n{usage}\n```\n\n" + _options(command, inner)


def _help(command: Any) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))


def _options(command: Any, context: Any) -> str:
    shown = [option for option in command.get_params(context) if option.name != "help"]
    return _grid(("argument or option", "meaning"), [(f"`{_named(each)}`", _meaning(each)) for each in shown])


def _named(option: Any) -> str:
    if option.param_type_name == "argument":
        return str(option.metavar or option.name.upper())
    return ", ".join(option.opts + option.secondary_opts)


def _meaning(option: Any) -> str:
    default, text = option.default, _line(getattr(option, "help", None) or "")
    told = isinstance(default, (str, int, float, Path)) and not isinstance(default, bool)
    return f"{text} Default: `{default}`." if told else text


def api_page() -> str:
    """Return the page of public names; the site puts the docstrings in their places."""
    public = [(name, getattr(gw, name)) for name in gw.__all__ if not name.startswith("_")]
    declared = [name for name, each in public if is_dataclass(each)]
    others = [name for name, each in public if callable(each) and name not in declared]
    anchors = {name: f"options.md#{_anchor(DECLARED[name])}" for name in declared if name in DECLARED}
    links = [f"[{name}]({anchors[name]})" if name in anchors else f"`{name}`" for name in sorted(declared)]
    text = API_INTRO + "\n## From a table to an artefact\n" + _places("gatewise", others)
    text += "\n## Declarations\n\nTheir options stand on [a page of their own](options.md): " + ", ".join(links) + ".\n"
    text += _places("gatewise", ["Schema", "Recipe"])
    for module, title in LAYERS.items():
        home = importlib.import_module(f"gatewise.{module}")
        names = [name for name in home.__all__ if callable(getattr(home, name))]
        text += f"\n## gatewise.{module}\n\n{title}.\n" + _places(f"gatewise.{module}", names)
    return text


def _places(module: str, names: Iterable[str]) -> str:
    return "".join(f"\n::: {module}.{name}\n" for name in names)


def schema_text() -> str:
    """Return the JSON Schema of recipes as it stands in the file."""
    return json.dumps(recipe_schema(), indent=1, ensure_ascii=False) + "\n"


PAGES = {OPTIONS: options_page, COMMANDS: commands_page, API: api_page, SCHEMA: schema_text}

if __name__ == "__main__":
    stale = [path for path, made in PAGES.items() if not path.exists() or made() != path.read_text(encoding="utf-8")]
    for path in stale:
        print(path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(PAGES[path](), encoding="utf-8")
    sys.exit(bool(stale) and "--check" in sys.argv)
