"""Recipes that are small and would be enormous, or deep without end: one line, at once."""

from __future__ import annotations

import time

import pytest

import gatewise as gw
from gatewise.declare.base import read_yaml


def bomb(levels: int = 9, merge: bool = False) -> str:
    lines = ["a0: &a0 {k: 1}"] if merge else ["a0: &a0 [x, x, x]"]
    for level in range(1, levels):
        many = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} " + (f"{{<<: [{many}]}}" if merge else f"[{many}]"))
    return "\n".join(lines)


CASES = {
    "aliases": bomb(),
    "aliases as features": bomb() + "\nfeatures: *a8\ntasks: *a8",
    "merged": bomb(merge=True),
    "deep lists": "[" * 50_000,
    "deep and closed": "[" * 200 + "]" * 200,
    "deep mappings": "{a: " * 20_000,
    "deep blocks": "\n".join(" " * depth + "a:" for depth in range(500)),
    "in itself": "a: &a [*a]",
    "an enormous integer": f"a: {'9' * 10_000}",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_they_are_refused_in_one_line_at_once(text, tmp_path):
    (tmp_path / "recipe.yaml").write_text(text)
    started = time.process_time()
    with pytest.raises(gw.errors.DeclarationError) as refused:
        gw.Recipe.read(tmp_path / "recipe.yaml")
    assert time.process_time() - started < 2
    lines = str(refused.value).splitlines()
    assert len(lines) < 60
    assert all(len(line) < 400 + len(str(tmp_path)) for line in lines)


def test_a_name_for_what_is_there_twice_is_as_good_as_writing_it_twice():
    text = "a: &a {dim: 4, more: [1, 2]}\nb: *a\nc: {<<: *a, dim: 5}"
    assert read_yaml(text, "x") == {
        "a": {"dim": 4, "more": [1, 2]},
        "b": {"dim": 4, "more": [1, 2]},
        "c": {"dim": 5, "more": [1, 2]},
    }


def test_an_enormous_value_is_shown_by_its_beginning():
    with pytest.raises(gw.errors.DeclarationError) as refused:
        gw.Numeric("x", transform=[["log"] * 1_000] * 1_000)
    assert len(str(refused.value)) < 300


def test_of_many_mistakes_some_are_described_and_all_are_counted():
    with pytest.raises(gw.errors.DeclarationError) as refused:
        gw.MMoE(expert_dims=["x"] * 1_000)
    assert str(refused.value).count(";") == 50
    assert str(refused.value).endswith("950 more mistakes")


@pytest.mark.parametrize(("text", "base"), [("010", 8), ("-017", 8), ("1:30", 60), ("1:30:0.5", 60)])
def test_numbers_in_other_bases_than_they_look_are_refused(text: str, base: int) -> None:
    with pytest.raises(gw.GatewiseError, match=rf"{text} is a number in base {base}: write it in base 10"):
        read_yaml(f"epochs: {text}", "r")
    assert read_yaml(f"epochs: '{text}'", "r") == {"epochs": text}


def test_other_numbers_are_what_they_look_like() -> None:
    assert read_yaml("[0, 10, -3, 0.5, 1e3, 0x10, 0b11, 1_000, 12e03, .5]", "r")[:4] == [0, 10, -3, 0.5]
    assert read_yaml("[0x10, 0b11, 1_000, 00.5]", "r") == [16, 3, 1000, 0.5]
