from __future__ import annotations

from typing import get_args

import pytest

import gatewise as gw
from gatewise import declare
from gatewise.assembly import build_balance
from gatewise.balance import MetaBalance as MetaBalanceRule
from gatewise.balance import Static as StaticRule
from gatewise.declare import MetaBalance, Options, Static, TunedStatic, Uncertainty, UPGrad, from_dict, to_dict
from gatewise.errors import DeclarationError
from gatewise.tasks import BinaryTask

TASKS = [BinaryTask("click"), BinaryTask("buy"), BinaryTask("like")]
DECLARED = get_args(get_args(declare.AnyBalance)[0])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("static", Static()),
        ("uncertainty", Uncertainty()),
        ("upgrad", UPGrad()),
        ({"kind": "uncertainty", "initial_log_variance": "1e-3"}, Uncertainty(initial_log_variance=0.001)),
        ({"kind": "static", "weights": {"click": 2}}, Static(weights={"click": 2.0})),
        (Uncertainty(initial_log_variance=2.0), Uncertainty(initial_log_variance=2.0)),
    ],
)
def test_a_rule_goes_by_name_or_declaration(given, expected):
    assert from_dict(Options, {"balance": given}).balance == expected


@pytest.mark.parametrize("declared", DECLARED)
def test_every_rule_goes_to_plain_values_and_back(declared):
    options = Options(balance=declared())
    assert from_dict(Options, to_dict(options)) == options
    assert from_dict(Options, {"balance": declared().kind}) == options
    assert declared().__doc__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("uncertain", r"Options\.balance: .*'uncertain'; did you mean 'uncertainty'\?"),
        ({"kind": "cagrad", "c": -1}, r"Options\.balance\.c: .*greater than or equal to 0"),
        ({"kind": "gradnorm", "alfa": 1}, r"Options\.balance\.alfa: unknown option; did you mean 'alpha'\?"),
        ({"kind": "mgda", "at": "expert"}, r"Options\.balance\.at: expected .*; did you mean 'experts'\?"),
        ({"kind": "static", "weights": {"click": -1}}, r"Options\.balance\.weights\.click: .*found -1"),
        ({"kind": "tuned_static", "candidates": 1}, r"Options\.balance\.candidates: .*found 1"),
    ],
)
def test_mistakes_are_named(given, message):
    with pytest.raises(DeclarationError, match=message):
        from_dict(Options, {"balance": given})


def test_tasks_go_by_name():
    rule = build_balance(Static(weights={"buy": 0.5}), TASKS)
    assert isinstance(rule, StaticRule)
    assert rule.weights.tolist() == [1, 0.5, 1]
    rule = build_balance(MetaBalance(target="like", relax=0.2), TASKS)
    assert isinstance(rule, MetaBalanceRule)
    assert (rule.target, rule.relax) == (2, 0.2)
    with pytest.raises(DeclarationError, match=r"balance\.target: no task 'lik' \(.*\); did you mean 'like'\?"):
        build_balance(MetaBalance(target="lik"), TASKS)
    with pytest.raises(DeclarationError, match=r"balance\.weights: no task 'by' .*did you mean 'buy'"):
        build_balance(Static(weights={"by": 1}), TASKS)
    with pytest.raises(DeclarationError, match="tuned_static needs a validation table"):
        build_balance(TunedStatic(), TASKS)


@pytest.mark.parametrize("kind", ["uncertainty", "dwa", "famo", "geometric_mean", "imtl_l", "gradnorm", "db_mtl"])
def test_rules_that_take_no_negative_losses_are_refused_where_there_may_be_some(kind):
    funnel = [gw.Binary("click"), gw.Binary("buy", after="click", learn="dr")]
    schema = gw.Schema([gw.Categorical("user")], funnel)
    with pytest.raises(DeclarationError, match=f"balance: '{kind}' takes losses of 0 or more, and that of task 'buy'"):
        gw.Ranker(schema, balance=kind)
    gw.Ranker(schema, balance="static")
    gw.Ranker(schema.only("click"), balance=kind)
