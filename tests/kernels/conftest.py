"""Every kernel runs twice: compiled, and in PyTorch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from gatewise.kernels import library

Both = Callable[[Callable[[], Any]], tuple[Any, Any]]


@pytest.fixture
def in_torch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    """Return a function that computes something without the compiled kernels."""

    def run(compute: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(library, "library", lambda: None)
            return compute()

    return run


@pytest.fixture
def both(in_torch: Callable[[Callable[[], Any]], Any]) -> Both:
    """Return a function that computes something compiled and in PyTorch."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    assert library.library() is not None, "there is a compiler, and the kernels were not built"
    return lambda compute: (compute(), in_torch(compute))
