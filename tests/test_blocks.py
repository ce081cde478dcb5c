"""Every code block of every page runs in a test, is checked, or is a fragment with a reason, in both languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import twins
from typer.main import get_command

import test_page_commands
import test_pages
from blocks import ROOT, Block, blocks, commands, pages, twin, without_prose
from gatewise.cli.app import app
from gatewise.convert import Spec
from gatewise.declare import from_dict, read_yaml
from gatewise.declare.json_schema import recipe_schema
from test_reference import as_an_editor_reads

ALL = [block for page in pages() for block in blocks(page)]
GENERATED = ("docs/commands.md", "docs/options.md", "docs/api.md")
"""Pages that scripts/reference_pages.py writes from the code; tests/test_reference.py compares them."""
SPECIFICATIONS = ("docs/moving/torch-rechub.md", "docs/moving/deepctr-torch.md")
"""Pages whose YAML describes a model of another library."""
WITHIN = {"docs/sources.md": "data"}
"""Pages whose YAML is one part of a recipe."""
ELSEWHERE = {
    "README.md": "tests/test_readme.py",
    "docs/articles.md": "tests/test_articles.py",
    "docs/extending.md": "tests/test_extending.py",
    "docs/moving/deepctr-torch.md": "tests/test_moving_pages.py",
    "docs/moving/easyrec.md": "tests/test_moving_pages.py",
    "docs/moving/libmtl.md": "tests/test_moving_pages.py",
    "docs/moving/torch-rechub.md": "tests/test_moving_pages.py",
    "docs/sources.md": "tests/test_sources_page.py",
    "docs/start.md": "tests/test_start_page.py",
    "docs/tasks.md": "tests/tasks/test_task_custom.py",
    "docs/tune.md": "tests/jobs/test_tune.py",
}
"""Pages whose Python a test of their own runs."""
SCRIPTS = {"docs/daily.md": "tests/cli/test_cli_update.py"}
"""Pages with a script of the shell, which the test of its own runs."""
OF_THE_SYSTEM = ("curl", "head", "mail")
"""Programs whose options nobody checks here; tests/test_page_commands.py sends what curl sends."""


def kind(block: Block) -> str:
    """Return what is done with a block; an empty text: nothing."""
    if block.page in GENERATED:
        return "generated"
    if block.mark in ("fragment", "output"):
        return block.mark
    if block.written and block.language == "":
        return "output"
    if block.text.startswith("#!"):
        return "script"
    kinds = {"python": "python", "yaml": "yaml", "bash": "shell", "sh": "shell", "": "shell", None: "shell"}
    return kinds.get(block.language, "")


def of(wanted: str) -> list[Block]:
    return [block for block in ALL if kind(block) == wanted]


def test_every_block_runs_or_is_a_fragment_with_a_reason() -> None:
    assert len(ALL) > 200
    unknown = [f"{block}: {block.language}" for block in ALL if not kind(block)]
    assert not unknown, "neither runs nor has <!-- fragment: REASON --> above"
    unreasoned = [str(block) for block in ALL if block.mark == "fragment" and len(block.said) < 10]
    assert not unreasoned, "a fragment without a reason"
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in pages()]
    marks = [line for text in texts for line in text.splitlines() if line.startswith("<!-- fragment")]
    assert len(marks) == len(of("fragment")), "a mark above something that is no block"


def test_python_of_every_page_is_run() -> None:
    here = {*test_pages.ALONE, *test_pages.GIVEN, *test_page_commands.PYTHON}
    assert {block.page for block in of("python")} == here | set(ELSEWHERE)
    assert not here & set(ELSEWHERE)
    for page, test in ELSEWHERE.items():
        text = (ROOT / test).read_text(encoding="utf-8")
        assert f'"{Path(page).name}"' in text, f"{test} reads no {page}"
        assert "exec(" in text, f"{test} runs nothing"


def test_scripts_of_the_shell_are_run() -> None:
    assert {block.page for block in of("script")} == set(SCRIPTS)
    for page, test in SCRIPTS.items():
        text = (ROOT / test).read_text(encoding="utf-8")
        assert f'"{Path(page).name}"' in text, f"{test} reads no {page}"
        assert '["bash", "-c", script' in text, f"{test} runs nothing"


def test_yaml_is_a_part_of_a_recipe() -> None:
    # parts of a recipe need not have all that a whole one has
    validator = jsonschema.Draft202012Validator({**recipe_schema(), "required": []})
    found = []
    for block in of("yaml"):
        value = read_yaml(block.text, str(block))
        if block.page in SPECIFICATIONS:
            from_dict(Spec, value, str(block))
            continue
        part = {WITHIN[block.page]: value} if block.page in WITHIN else value
        errors = validator.iter_errors(as_an_editor_reads(part))
        found += [f"{block}: {error.json_path}: {error.message}" for error in errors]
    assert not found


def test_commands_have_the_options_that_they_name() -> None:
    found = []
    for block in of("shell"):
        for words in commands(block.text):
            try:
                check(words, block)
            except Exception as error:
                said = error.format_message() if hasattr(error, "format_message") else error
                found.append(f"{block}: {' '.join(words)}: {said}")
    assert not found, "\n".join(found)


def check(words: list[str], block: Block) -> None:
    """Raise an error where a command cannot be run as it stands."""
    program, *rest = words
    if program in OF_THE_SYSTEM:
        return
    PROGRAMS[program](rest, ROOT / block.page)


COMMAND = get_command(app)


def _gatewise(words: list[str], _: Path) -> None:
    command, context = COMMAND, None
    while True:
        context = command.make_context(command.name, words, parent=context)
        if not hasattr(command, "commands"):
            return
        name, *words = [*context._protected_args, *context.args]
        if name not in command.commands:
            raise ValueError(f"no command {name!r}")
        command = command.commands[name]


def _make(words: list[str], _: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert words[0] in targets, f"no target {words[0]!r}"


def _pip(words: list[str], _: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for word in words:
        for extra in re.findall(r"(?:gatewise|\.)\[(.*)\]", word):
            assert set(extra.split(",")) <= set(extras), f"no extra {extra!r}"


def _python(words: list[str], page: Path) -> None:
    assert (ROOT / words[0]).is_file() or (page.parent / words[0]).is_file(), f"no file {words[0]!r}"


def _torchrun(words: list[str], page: Path) -> None:
    from torch.distributed.run import parse_args

    options = parse_args(words)
    if options.module:
        _gatewise(options.training_script_args, page)


PROGRAMS: dict[str, Callable[[list[str], Path], None]] = {
    "gatewise": _gatewise,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "torchrun": _torchrun,
}


def test_what_stands_as_output_stands_below_its_command() -> None:
    for block in ALL:
        if block.mark == "output":
            assert block.text.startswith(f"$ {block.said}\n"), block
            _gatewise(next(commands(block.said))[1:], ROOT / block.page)


@pytest.mark.parametrize("page", [page for page in pages() if (ROOT / twin(page)).exists()])
def test_the_chinese_page_has_the_same_code(page: str) -> None:
    english, chinese = blocks(page), blocks(twin(page))
    assert [block.language for block in chinese] == [block.language for block in english]
    for one, other in zip(english, chinese, strict=True):
        assert without_prose(other) == without_prose(one), f"{other} is no longer {one}"


def test_figures_of_chinese_pages_are_those_of_today() -> None:
    found = [problem for page in twins.pages() for problem in twins.stale_figures(page)]
    assert not found
