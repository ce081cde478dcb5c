"""The examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import gatewise

MODULES = [module.name for module in pkgutil.walk_packages(gatewise.__path__, "gatewise.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    found = sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
    assert found >= 10
