"""Measures the structure of the source code, from its syntax trees: what docs/architecture.md promises, in figures.

    python scripts/structure.py [folder]

The folder is that of the package, by default ``src/gatewise``. Printed are branches on kinds by file, imports past a
room's face, files, the longest chain of imports, and ``# noqa``.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

LONG = 400
"""Lines from which on a file is too long."""
ELSEWHERE = ("collections.abc", "typing", "torch")
"""Modules whose classes may be called like a kind."""


@dataclass(frozen=True)
class Kinds:
    """Kinds of one thing: where their declarations are, where the classes that know them, and how those end."""

    declared: tuple[str, ...]
    known: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


KINDS = {
    "feature kinds": Kinds(
        ("declare/features.py",), ("data/encoders/*.py", "data/columns/*.py"), ("Encoder", "Column")
    ),
    "task kinds": Kinds(("declare/tasks/*.py",), ("tasks/*.py",), ("Task",)),
    "gates and experts": Kinds(("declare/gates.py", "declare/experts.py")),
    "architectures": Kinds(("declare/architectures/*.py",)),
}


class Source:
    """One file of the package."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = path.relative_to(root)
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        parts = [root.name, *self.path.with_suffix("").parts]
        self.module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def imports(self) -> list[tuple[str, list[str]]]:
        """The modules that are imported from, each with the names that are."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found.append((node.module, [alias.name for alias in node.names]))
            elif isinstance(node, ast.Import):
                found += [(alias.name, []) for alias in node.names]
        return found

    @cached_property
    def foreign(self) -> set[str]:
        """Names that come from elsewhere, such as ``Sequence`` of ``collections.abc``."""
        return {name for module, names in self.imports if module.startswith(ELSEWHERE) for name in names}

    def classes(self) -> Iterator[str]:
        """Yield the names of the classes that stand in the file."""
        return (node.name for node in self.tree.body if isinstance(node, ast.ClassDef))

    def branches(self, kinds: set[str]) -> int:
        """Count the conditions, and the cases of ``match``, that ask for a kind."""
        wanted = kinds - self.foreign
        return sum(bool(_asked(node) & wanted) for node in ast.walk(self.tree))


def _asked(node: ast.AST) -> set[str]:
    """Return the classes that a node asks for: ``isinstance``, ``type(x) is`` or a case."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
            return _names(classes)
        case ast.Compare(left=ast.Call(func=ast.Name(id="type")), comparators=compared):
            return set().union(*map(_names, compared))
        case ast.match_case(pattern=pattern):
            return {_last(p.cls) for p in ast.walk(pattern) if isinstance(p, ast.MatchClass)}
    return set()


def _names(node: ast.AST) -> set[str]:
    return {_last(part) for part in ast.walk(node) if isinstance(part, (ast.Name, ast.Attribute))}


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def kinds_of(root: Path, sources: list[Source], kinds: Kinds) -> set[str]:
    """Return the names of all classes that are a kind."""
    declared = {name for s in sources if _stands(root, s, kinds.declared) for name in s.classes()}
    known = {name for s in sources if _stands(root, s, kinds.known) for name in s.classes()}
    return declared | {name for name in known if name.endswith(kinds.endings or ("\0",))}


def _stands(root: Path, source: Source, patterns: tuple[str, ...]) -> bool:
    return any((root / source.path) in set(root.glob(pattern)) for pattern in patterns)


def past_a_face(sources: list[Source]) -> Counter[str]:
    """Count for every room the imports from other rooms that name a module inside it."""
    modules = {source.module for source in sources}
    rooms = {".".join(module.split(".")[:2]) for module in modules if module.count(".") > 1}
    found: Counter[str] = Counter()
    for source in sources:
        own = ".".join(source.module.split(".")[:2])
        for target in _modules_of(source, modules):
            room = ".".join(target.split(".")[:2])
            if room in rooms and room != own and target != room:
                found[room.split(".")[1]] += 1
    return found


def _modules_of(source: Source, modules: set[str]) -> Iterator[str]:
    """Yield the modules of the package that a file imports, once an import."""
    for module, names in source.imports:
        inside = [f"{module}.{name}" for name in names if f"{module}.{name}" in modules]
        yield from inside if inside else [module] if module in modules else []


def longest_chain(sources: list[Source]) -> list[str]:
    """Return modules of which each imports the next, as many as there can be; circles count once."""
    modules = {source.module for source in sources}
    edges = {source.module: set(_modules_of(source, modules)) - {source.module} for source in sources}
    known: dict[str, list[str]] = {}

    def below(module: str, above: tuple[str, ...]) -> list[str]:
        if module not in known:
            chains = [below(target, (*above, module)) for target in edges[module] if target not in above]
            known[module] = [module, *max(chains, key=len, default=[])]
        return known[module]

    sys.setrecursionlimit(10_000)
    return max((below(module, ()) for module in sorted(modules)), key=len)


def measured(root: Path) -> Iterator[str]:
    """Yield the lines of the report."""
    sources = [Source(root, path) for path in sorted(root.rglob("*.py"))]
    for what, kinds in KINDS.items():
        names = kinds_of(root, sources, kinds)
        counts = {str(s.path): n for s in sources if (n := s.branches(names))}
        home = sum(n for path, n in counts.items() if path.startswith(("declare/", "data/columns/")))
        total = sum(counts.values())
        yield f"branches on {what:17} {total:5}  in {len(counts)} files; {total - home} outside declare, data/columns"
        yield from _by(counts)
    past = past_a_face(sources)
    yield f"imports past a face           {sum(past.values()):5}"
    yield from _by(past)
    yield f"files                         {len(sources):5}"
    long = {str(s.path): n for s in sources if (n := s.text.count("\n")) > LONG}
    yield f"files above {LONG} lines         {len(long):5}"
    yield from _by(long)
    yield f"# noqa                        {sum(s.text.count('# noqa') for s in sources):5}"
    yield f"longest chain of imports      {len(longest_chain(sources)):5}"


def _by(counts: Mapping[str, int]) -> Iterator[str]:
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"    {count:5}  {name}"


if __name__ == "__main__":
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "src" / "gatewise"
    print("\n".join(measured(package)))
