"""Goals are metrics of the fused order, each on the rows of its own label."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from gatewise.analysis import Goal, judge_of
from gatewise.errors import DeclarationError, TableError
from gatewise.tasks import BinaryTask, FunnelTask, Predicted, RegressionTask, predict_tasks
from sklearn import metrics as sk

CLICK = BinaryTask("click", grouped=True)
TASKS = [CLICK, FunnelTask("buy", after=[CLICK], grouped=True), RegressionTask("stars")]


@pytest.fixture(scope="module")
def predicted() -> Predicted:
    rng = np.random.default_rng(0)
    click = rng.integers(0, 2, 200).astype(float)
    buy, stars = click * rng.integers(0, 2, 200), rng.integers(0, 6, 200).astype(float)
    click[:20] = stars[50:60] = np.nan
    labels = torch.tensor(np.stack([click, buy, stars], axis=1))
    groups = torch.tensor(rng.integers(-1, 8, 200))
    return Predicted(TASKS, predict_tasks(TASKS, torch.randn(200, 3), labels), labels, groups)


def goals(*texts: str, grouped: bool = True) -> list[Goal]:
    return [Goal.parse(text, TASKS, grouped=grouped) for text in texts]


def test_every_goal_is_its_metric_of_the_fused_score(predicted):
    fused = torch.randn(200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    click, buy, stars = predicted.labels.numpy().T
    score, groups = fused.numpy(), predicted.groups.numpy()
    wanted = goals("auc:click", "auc:buy_given_click", "spearman:stars", "ndcg@3:stars", "gauc:buy")
    auc, given, spearman, ndcg, gauc = judge_of(wanted, predicted)(fused)
    known = ~np.isnan(click)
    assert auc == pytest.approx(sk.roc_auc_score(click[known], score[known]), abs=1e-12)
    came = click == 1
    assert given == pytest.approx(sk.roc_auc_score(buy[came], score[came]), abs=1e-12)
    starred = ~np.isnan(stars)
    assert spearman == pytest.approx(stats.spearmanr(stars[starred], score[starred]).statistic, abs=1e-12)
    in_groups = [starred & (groups == group) for group in range(8)]
    each = [sk.ndcg_score([stars[rows]], [score[rows]], k=3) for rows in in_groups if stars[rows].any()]
    assert ndcg == pytest.approx(np.mean(each), abs=1e-12)
    # all of the funnel: a row without a click did not buy, one of which nothing is known says nothing
    joint = np.where(np.isnan(click), np.nan, click * buy)
    areas = [
        (sk.roc_auc_score(joint[rows], score[rows]), rows.sum())
        for rows in (~np.isnan(joint) & (groups == group) for group in range(8))
        if 0 < joint[rows].sum() < rows.sum()
    ]
    assert gauc == pytest.approx(sum(area * rows for area, rows in areas) / sum(rows for _, rows in areas), abs=1e-12)


def test_a_task_stands_for_its_last_output_and_names_are_whole():
    assert list(map(str, goals("gauc:buy", "ndcg:click", "ndcg@5:click", "hit_rate@3:buy_given_click"))) == [
        "gauc:click_and_buy",
        "ndcg@10:click",
        "ndcg@5:click",
        "hit_rate@3:buy_given_click",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("auc", "goal 'auc': expected METRIC:TASK, such as gauc:click"),
        ("auc:", "goal 'auc:': expected METRIC:TASK, such as gauc:click"),
        ("acu:click", "goal 'acu:click': 'acu' judges no order; did you mean 'auc'?"),
        ("log_loss:click", "goal 'log_loss:click': 'log_loss' judges no order (metrics of an order: auc, pr_auc, "),
        ("auc:clik", "goal 'auc:clik': 'clik' is no task; did you mean 'click'?"),
        ("auc@5:click", "goal 'auc@5:click': expected ndcg, hit_rate at so many places, such as ndcg@5"),
        ("ndcg@0:click", "goal 'ndcg@0:click': expected ndcg, hit_rate at so many places, such as ndcg@5"),
        ("ndcg@x:click", "goal 'ndcg@x:click': expected ndcg, hit_rate at so many places, such as ndcg@5"),
    ],
)
def test_what_is_no_goal_is_refused(text, complaint):
    with pytest.raises(DeclarationError) as caught:
        goals(text)
    assert str(caught.value).startswith(complaint)


def test_metrics_within_groups_need_groups():
    with pytest.raises(DeclarationError, match="goal 'mrr:click': mrr is judged within groups, and the schema has no"):
        goals("mrr:click", grouped=False)


def test_labels_that_do_not_suit_a_metric_are_named(predicted):
    judge = judge_of(goals("auc:stars"), predicted)
    with pytest.raises(TableError, match=r"^goal 'auc:stars': auc: expected"):
        judge(torch.zeros(200, dtype=torch.float64))
