"""Delays, late labels and dropped negatives as declarations: what goes together, and what is said where it does not."""

from __future__ import annotations

import datetime
import re

import pytest

import gatewise as gw
from gatewise.declare import length_of
from gatewise.errors import DeclarationError

USER = gw.Categorical("user")
LATE = {"delay": "3d", "time": "at", "late": "delayed_feedback"}


def test_a_delay_is_a_text_a_timedelta_or_a_number():
    assert [length_of(delay) for delay in ("90s", "30min", "12h", "1.5d", "1w", 7)] == [
        90,
        1800,
        43200,
        129600,
        604800,
        7,
    ]
    declared = gw.Binary("buy", delay=datetime.timedelta(days=3), time="at")
    assert length_of(declared.delay) == 3 * 86400
    assert gw.Binary("buy", delay=" 3 d ", time="at").delay == "3d"
    schema = gw.Schema(
        features=[USER], tasks=[gw.Binary("buy", **LATE, seen="bought_at"), gw.Count("n", delay=3, time="x")]
    )
    assert gw.Schema.from_yaml(schema.to_yaml()) == schema


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"delay": "3 days", "time": "at"}, "expected a number above 0 and one of s, min, h, d and w, such as '3d'"),
        ({"delay": "0d", "time": "at"}, "expected a number above 0"),
        ({"delay": -1, "time": "at"}, "expected a text such as '3d', or a number above 0"),
        ({"delay": "3d"}, "delay '3d' is measured from a row's time: give 'time', the column of times"),
        ({"time": "at"}, "time 'at' belongs to a delay: give 'delay', such as '3d'"),
        ({"late": "importance"}, "late 'importance' needs delay, the age from which a label is final, and time"),
        ({"delay": "3d", "time": "at", "seen": "x"}, "seen 'x' belongs to late 'delayed_feedback' or 'importance'"),
        ({**LATE, "after": "click"}, "after does not go with late 'delayed_feedback': declare within='click' instead"),
        ({**LATE, "focal": 2.0}, "focal does not go with late 'delayed_feedback'"),
        ({**LATE, "loss": "jrc"}, "loss 'jrc' does not go with late 'delayed_feedback'"),
        ({**LATE, "negatives_kept": 0.1}, "negatives_kept does not go with late 'delayed_feedback'"),
        ({"negatives_kept": 1.5}, "expected a share above 0 and at most 1, or the name of a column, found 1.5"),
        ({"negatives_kept": "share", "after": "click"}, "negatives_kept: a step of a funnel takes a share such as 0.1"),
    ],
)
def test_what_does_not_go_together_is_one_line(options, said):
    with pytest.raises(DeclarationError, match=re.escape(said)):
        gw.Binary("buy", **options)


def refused(tasks: list[gw.Binary], said: str, features: list[gw.Categorical] | None = None) -> None:
    with pytest.raises(DeclarationError, match=re.escape(said)):
        gw.Schema(features=features or [USER], tasks=tasks)


def test_a_schema_refuses_late_steps_leaks_and_two_units():
    buy = gw.Binary("buy", after="click")
    said = "after 'click' has late 'delayed_feedback', and a step of a funnel waits: declare within='click' instead of"
    refused([gw.Binary("click", **LATE), buy], said)
    refused([gw.Binary("click", negatives_kept="share"), buy], "after 'click' has a column as negatives_kept")
    late = gw.Binary("buy", **LATE, seen="bought_at")
    leak = [gw.Categorical("bought_at")]
    refused([late], "feature 'bought_at' reads 'bought_at', which tells the label of task 'buy'", leak)
    refused([gw.Binary("at"), gw.Binary("buy", delay="3d", time="at")], "task 'buy' reads 'at' beside its label")
    two = [gw.Binary("a", delay="3d", time="at"), gw.Binary("b", delay=3, time="at")]
    refused(two, "delays by 'at': expected texts or numbers, found '3d' of task 'a' and 3.0 of task 'b'")


def test_what_is_corrected_already_is_not_calibrated():
    schema = gw.Schema(features=[USER], tasks=[gw.Binary("click", negatives_kept=0.1), gw.Binary("like")])
    assert gw.Calibration("isotonic").names(schema) == ("like",)
    with pytest.raises(
        DeclarationError, match="calibration: task 'click' has negatives_kept: its predictions are corr"
    ):
        gw.Calibration("down_sampling", rate=0.1, tasks=["click"]).names(schema)
