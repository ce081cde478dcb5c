"""A trunk's constructor and its declaration name the same options with the same defaults: they are declared once."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_args

import pytest
import torch

from gatewise import declare
from gatewise.assembly.model import NOT_THE_TRUNKS, TRUNKS, build_trunk


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
def test_trunk_and_declaration_agree_on_options_and_defaults(architecture):
    parameters = inspect.signature(TRUNKS[architecture]).parameters.values()
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    declared = {field.name: field.default for field in fields(architecture) if field.name not in NOT_THE_TRUNKS}
    assert options == declared
    assert [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY] == ["input_dim", "num_tasks"]


def test_every_architecture_has_a_trunk():
    union = get_args(get_args(declare.AnyArchitecture)[0])
    assert set(union) == set(TRUNKS)


@pytest.mark.parametrize("architecture", TRUNKS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh", "leaky_relu"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_every_declared_choice_builds(architecture, activation, norm):
    trunk = build_trunk(architecture(activation=activation, norm=norm, dropout=0.1), input_dim=3, num_tasks=2)
    assert trunk(torch.ones(4, 3)).shape == (4, 2, trunk.output_dim)
