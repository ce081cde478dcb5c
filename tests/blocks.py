"""The code blocks of pages: where each stands, what marks it, and how its Python or its commands are read."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from markdown_it import MarkdownIt
from twins import ROOT, SECTION, SUFFIX

MARK = re.compile(r"<!-- (fragment|output|file):(.*)-->")
PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
COMMENT = re.compile(r"(^|\s+)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes:
        page: path within the repository.
        line: of the page, from 1.
        language: as the fence says; None where the block is indented.
        mark, said: ``fragment``, ``output`` or ``file`` and what follows, where such a comment stands directly above.
        written: whether a script wrote the block.
    """

    page: str
    line: int
    language: str | None
    text: str
    mark: str | None
    said: str
    written: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Return all English pages."""
    found = [*ROOT.glob("*.md"), *(page for name in ("docs", "examples") for page in (ROOT / name).rglob("*.md"))]
    kept = (page for page in found if not page.name.endswith(SUFFIX) and page.name not in ("CHANGELOG.md",))
    return sorted(page.relative_to(ROOT).as_posix() for page in kept)


def twin(page: str) -> str:
    """Return the Chinese twin of an English page."""
    return page.removesuffix(".md") + SUFFIX


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """Return the blocks of a page, in order."""
    return tuple(blocks_of((ROOT / page).read_text(encoding="utf-8"), page))


def blocks_of(text: str, page: str = "page.md") -> Iterator[Block]:
    """Yield the blocks of a page's text."""
    lines = text.splitlines()
    spans = [[text[:end].count("\n") for end in found.span()] for found in SECTION.finditer(text)]
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block"):
            continue
        assert token.map is not None
        first = token.map[0]
        above = next((line for line in reversed(lines[:first]) if line.strip()), "")
        mark = MARK.fullmatch(above.strip())
        language = None if token.type == "code_block" else token.info
        written = any(begin <= first <= end for begin, end in spans)
        kind, said = (mark[1], mark[2].strip()) if mark else (None, "")
        yield Block(page, first + 1, language, token.content, kind, said, written)


def run_python(page: str, names: dict[str, object], shorter: Mapping[str, str] = MappingProxyType({})) -> None:
    """Run the Python of a page, block by block; what has comments behind ``print`` prints what they say.

    An expression that is a line of its own and has a value as its comment has that value.

    Args:
        page: path within the repository.
        names: what the page names and does not make.
        shorter: texts of the page, each with the one that is run in its place, such as fewer seeds.
    """
    assert all(any(text in block.text for block in blocks(page)) for text in shorter)
    for block in blocks(page):
        if block.language != "python" or block.mark == "fragment":
            continue
        code, printed = block.text, io.StringIO()
        for text, other in shorter.items():
            code = code.replace(text, other)
        with contextlib.redirect_stdout(printed):
            # lines of tracebacks are those of the page
            exec(compile("\n" * block.line + code, page, "exec"), names)
        said = PRINTED.findall(block.text)
        assert not said or printed.getvalue().splitlines() == said, block
        for expression, value in values(block.text):
            assert eval(expression, names) == value, f"{block}: {expression}"


def values(text: str) -> Iterator[tuple[str, object]]:
    """Yield the expressions that are a line of Python, each with the value in the line's comment if that is one."""
    lines = text.splitlines()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Expr) and not ast.unparse(statement).startswith("print("):
            comment = lines[(statement.end_lineno or 0) - 1].partition("  # ")[2]
            with contextlib.suppress(ValueError, SyntaxError):
                if "..." not in comment:
                    yield ast.unparse(statement.value), ast.literal_eval(comment)


def without_prose(block: Block) -> str:
    """Return a block without comments and docstrings, which are in a page's language."""
    if block.language != "python":
        lines = COMMENT.sub("", block.text).splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    # what is printed is no prose
    return "\n".join([ast.unparse(tree), *PRINTED.findall(block.text)])


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command of a shell block, its optional parts included.

    ``[--by COLUMN | --stream]`` gives a command with each of the two.
    """
    for line in _joined(text):
        words = shlex.split(line, comments=True)
        choices = max((words[begin:end].count("|") + 1 for begin, end in _groups(words)), default=1)
        for choice in range(choices):
            yield from _simple(_chosen(words, choice))


def _joined(text: str) -> Iterator[str]:
    """Yield the lines of a shell block, each with what goes on in the lines below."""
    whole = ""
    for line in [*text.splitlines(), ""]:
        goes_on = line[:1].isspace() or whole.endswith("\\") or _is_open(whole)
        if whole and not goes_on:
            yield whole
            whole = ""
        whole = f"{whole.removesuffix(chr(92))}\n{line}" if _is_open(whole) else f"{whole.removesuffix(chr(92))} {line}"
        whole = whole.strip(" ")


def _is_open(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return True
    return False


def _groups(words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield where the words ``[--option`` to ``value]`` begin and end."""
    begin = None
    for place, word in enumerate(words):
        if word.startswith("[-"):
            begin = place
        if begin is not None and word.endswith("]"):
            yield begin, place + 1
            begin = None


def _chosen(words: list[str], choice: int) -> list[str]:
    """Return words with the optional ones, of alternatives the one whose number is given, or else the last."""
    found, last = [], 0
    for begin, end in _groups(words):
        found += words[last:begin]
        alternatives: list[list[str]] = [[]]
        for word in words[begin:end]:
            if word == "|":
                alternatives.append([])
            elif word.strip("[]") != "...":
                # N|knee
                alternatives[-1].append(word.strip("[]").split("|")[-1])
        found += alternatives[min(choice, len(alternatives) - 1)]
        last = end
    return [re.sub(r"^\[([A-Z]+)\]$", r"\1", word) for word in [*found, *words[last:]]]


def _simple(words: list[str]) -> Iterator[list[str]]:
    """Yield the commands that ``&&``, ``||`` and pipes join."""
    command: list[str] = []
    for word in [*words, "&&"]:
        if word not in ("&&", "||", "|"):
            command.append(word)
        elif command:
            yield command
            command = []
