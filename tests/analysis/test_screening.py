"""Importance of many features at a bounded cost."""

from __future__ import annotations

from gatewise.analysis import feature_importance, screened_importance


def test_within_the_budget_it_is_the_importance_of_all_features(make_model, tasks, table):
    model = make_model()
    found = screened_importance(model, tasks, table, repeats=2, rows=300, budget=4 * 2 * 300)
    assert found.screening is None
    assert found.importances == feature_importance(model, tasks, table, repeats=2, rows=300)


def test_beyond_it_some_features_are_measured_with_care_and_all_are_listed(make_model, tasks, table):
    model = make_model()
    found = screened_importance(model, tasks, table, repeats=3, rows=300, budget=1500)
    assert found.screening == (4, 300, 1, 300, 3)
    for features in found.importances.values():
        assert sorted(each.feature for each in features) == ["age", "price", "tags", "user"]
        assert sorted(len(each.by_repeat) for each in features) == [1, 1, 1, 3]
        drops = [each.drop for each in features]
        assert drops == sorted(drops, reverse=True)


def test_rows_of_a_second_look_are_not_those_of_the_first(make_model, tasks, table):
    model = make_model()
    found = screened_importance(model, tasks, table, repeats=3, rows=300, budget=1500, seed=3)
    (again,) = {each.feature for each in found.importances["click"] if len(each.by_repeat) == 3}
    expected = feature_importance(model, tasks, table, repeats=3, rows=300, seed=4, features={again})
    assert [each for each in found.importances["click"] if each.feature == again] == expected["click"]
