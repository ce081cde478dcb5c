"""Gatewise: multi-task ranking with multi-gate mixture-of-experts.

One model predicts click, purchase, dwell, rating ... together: experts shared by all tasks, one softmax gate per task
that mixes them, one tower per task. The public names are listed once, in ``__init__.pyi``; each name, and each module
such as ``gatewise.nn``, is imported when it is first used, so that ``gatewise.nn`` needs only torch.
"""

import ast
import importlib
import importlib.util
from pathlib import Path
from typing import Any


def _homes(stub: Path) -> dict[str, str]:
    """Return the module of every name that a stub imports; a module of this package is its own."""
    imports = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {name.name: str(node.module) for node in imports for name in node.names}


_HOME = _homes(Path(__file__).with_suffix(".pyi"))
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None and not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f"{__name__}.{name}")
    if home is None:
        from gatewise.errors import did_you_mean

        raise AttributeError(f"module 'gatewise' has no attribute {name!r}{did_you_mean(name, __all__)}")
    if home == __name__:
        return importlib.import_module(f"{home}.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
