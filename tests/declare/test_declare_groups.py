from __future__ import annotations

import re

import pytest
import torch
import yaml

from gatewise import declare
from gatewise.assembly import TrunkContext, build_trunk
from gatewise.declare import HoME, from_dict, to_dict
from gatewise.errors import DeclarationError
from gatewise.layout import Layout
from gatewise.nn import InputLayer

SCHEMA = declare.Schema(
    features=[declare.Numeric("age")],
    tasks=[declare.Binary("click"), declare.Binary("like"), declare.Binary("long_view")],
)
GROUPS = {"watch": ["click", "long_view"], "interact": ["like"]}


def test_groups_are_written_as_a_mapping():
    text = "{kind: home, groups: {watch: [click, long_view], interact: [like]}}"
    declared = from_dict(HoME, yaml.safe_load(text))
    assert declared == HoME(groups=GROUPS)
    assert to_dict(declared)["groups"] == GROUPS
    assert dict(declared.groups) == {"watch": ("click", "long_view"), "interact": ("like",)}
    assert repr(declared.groups) == "{'watch': ('click', 'long_view'), 'interact': ('like',)}"
    declared.check(SCHEMA)


def test_groups_compare_by_what_they_hold_and_do_not_change():
    one, other = HoME(groups=GROUPS), HoME(groups={name: tuple(GROUPS[name]) for name in reversed(GROUPS)})
    assert one == other
    assert len({one, other, HoME(groups={"all": ["click", "like", "long_view"]})}) == 2
    with pytest.raises(TypeError):
        one.groups["more"] = ("click",)


def test_the_order_in_which_groups_are_written_changes_nothing():
    around = TrunkContext(InputLayer(Layout(floats=("age",))), ("click", "like", "long_view"))
    written = [GROUPS, {"interact": ["like"], "watch": ["long_view", "click"]}]
    trunks = [build_trunk(HoME(groups=groups, expert_dims=[2]), around) for groups in written]
    for trunk in trunks:
        assert trunk.group.tolist() == [0, 1, 0]
    trunks[1].load_state_dict(trunks[0].state_dict())
    x = torch.randn(5, 1)
    assert torch.equal(trunks[0].eval()(x), trunks[1].eval()(x))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "HoME.groups: expected one group of tasks or more, such as {watch: [click, long_view]}, found none"),
        ({"watch": []}, "HoME.groups: group 'watch' has no task"),
        (
            {"watch": ["click"], "interact": ["like", "click"]},
            "HoME.groups: task 'click' is in group 'watch' and again in 'interact'",
        ),
        ({"watch": "click"}, "HoME.groups.watch: 'str' instances are not allowed"),
        ({"watch": ["click", 3]}, "HoME.groups.watch[1]: input should be a valid string, found 3"),
        (["click"], "HoME.groups: input should be a valid dictionary, found ['click']"),
    ],
)
def test_groups_that_are_none_are_refused(groups, message):
    with pytest.raises(DeclarationError, match=f"^{re.escape(message)}"):
        HoME(groups=groups)


def test_groups_are_required():
    with pytest.raises(DeclarationError, match=r"^HoME\.groups: is required$"):
        HoME()
    with pytest.raises(DeclarationError, match=r"^Options\.model\.groups: is required$"):
        declare.Options(model="home")


def test_a_gate_chooses_among_a_group_s_and_the_shared_experts():
    HoME(groups=GROUPS, experts=2, gate=declare.TopKGate(k=4)).check(SCHEMA)
    with pytest.raises(DeclarationError, match=r"^gate\.k: expected at most 4"):
        HoME(groups=GROUPS, experts=2, gate=declare.TopKGate(k=5)).check(SCHEMA)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"watch": ["click", "long_view"]}, "groups: task 'like' is in no group"),
        (
            {"watch": ["click", "longview"], "interact": ["like"]},
            "groups: no task 'longview' (tasks: click, like, long_view); did you mean 'long_view'?",
        ),
    ],
)
def test_groups_that_do_not_fit_the_tasks_are_refused(groups, message):
    with pytest.raises(DeclarationError, match=f"^{re.escape(message)}"):
        HoME(groups=groups).check(SCHEMA)
