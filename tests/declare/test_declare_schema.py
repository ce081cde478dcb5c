from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise import declare
from gatewise.declare import Binary, Categorical, Numeric, Regression, Schema, Sequence, Vector, embedding_dim
from gatewise.errors import DeclarationError
from gatewise.names import RESERVED

USER, CLICK, RATING = Categorical("user"), Binary("click"), Regression("rating")


def kinds(name):
    rates = st.floats(0, 1e6)
    return st.one_of(
        st.builds(Categorical, st.just(name), dim=st.integers(1, 65_536), min_count=st.integers(1, 2**40)),
        st.builds(Categorical, st.just(name), hash_buckets=st.integers(2, 2_147_483_000)),
        st.builds(Numeric, st.just(name), transform=st.sampled_from(["standard", "log", "quantile", "bucket"])),
        st.builds(
            Sequence, st.just(name), separator=st.sampled_from(["|", ", ", "\t", ": "]), max_length=st.integers(1, 9)
        ),
        st.builds(Vector, st.just(name), st.integers(1, 65_536)),
    ), st.one_of(st.builds(Binary, st.just(name), rates), st.builds(Regression, st.just(name), rates))


@st.composite
def schemas(draw, names):
    # words of the program are tried too, and some are no names of predictions
    free = names.filter(lambda name: name not in RESERVED)
    named = draw(st.lists(free, min_size=2, max_size=4, unique=True))
    cut = draw(st.integers(1, len(named) - 1))
    return Schema(features=[draw(kinds(n)[0]) for n in named[:cut]], tasks=[draw(kinds(n)[1]) for n in named[cut:]])


@settings(max_examples=20, deadline=None)
@given(schemas(st.text(min_size=1, max_size=8)))
def test_schemas_go_to_json_and_back(schema):
    assert Schema.from_json(schema.to_json()) == schema
    assert Schema.from_dict(schema.to_dict()) == schema


# PyYAML folds the line breaks that only Unicode knows
PRINTED = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])


@settings(max_examples=20, deadline=None)
@given(schemas(st.text(PRINTED, min_size=1, max_size=8)))
def test_schemas_go_to_yaml_and_back(schema):
    assert Schema.from_yaml(schema.to_yaml()) == schema


def schema_error(features, tasks):
    with pytest.raises(DeclarationError) as caught:
        Schema(features=features, tasks=tasks)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("feature", "task"),
    [
        (Numeric("click"), CLICK),
        (Numeric("x", column="click"), CLICK),
        (Numeric("clicked"), Binary("click", column="clicked")),
        (Numeric("x", column="clicked"), Binary("click", column="clicked")),
    ],
)
def test_a_label_among_the_features_is_an_error(feature, task):
    label = task.column or task.name
    message = f"feature {feature.name!r} reads {label!r}, which is the label of task 'click'"
    assert message in schema_error([USER, feature], [RATING, task])


def test_a_feature_may_be_called_like_a_task_whose_label_it_does_not_read():
    schema = Schema(features=[Numeric("click", column="clicks_before")], tasks=[CLICK])
    assert schema.features[0].column == "clicks_before"


def test_a_label_is_not_its_own_weight():
    assert "weight_column is its label" in schema_error([USER], [Binary("click", weight_column="click")])
    assert "weight_column is its label" in schema_error([USER], [Binary("c", column="d", weight_column="d")])


def test_names_are_unique():
    assert "feature 'user' is declared twice" in schema_error([USER, Numeric("user", column="x")], [CLICK])
    assert "task 'click' is declared twice" in schema_error([USER], [CLICK, Regression("click", column="x")])


def test_features_and_tasks_are_needed():
    assert "Schema.features" in schema_error([], [CLICK])
    assert "Schema.tasks" in schema_error([USER], [])


def test_one_column_may_serve_two_features():
    schema = Schema(features=[Numeric("age"), Categorical("age_id", column="age")], tasks=[CLICK])
    assert [declare.column_of(f) for f in schema.features] == ["age", "age"]


def test_a_shared_feature_is_a_categorical_one():
    history = Sequence("history", shares="usr")
    message = schema_error([USER, history], [CLICK])
    assert "sequence 'history' shares 'usr', which is no categorical feature; did you mean 'user'?" in message
    assert "no categorical" in schema_error([Sequence("a"), Sequence("b", shares="a")], [CLICK])
    assert "no categorical" in schema_error([Sequence("a", shares="a")], [CLICK])


def test_a_categorical_feature_shares_the_table_of_another():
    seller = Categorical("seller", shares="usr")
    message = schema_error([USER, seller], [CLICK])
    assert "categorical 'seller' shares 'usr', which is no categorical feature; did you mean 'user'?" in message
    assert "no categorical" in schema_error([Categorical("a", shares="a")], [CLICK])
    chain = [USER, Categorical("b", shares="user"), Categorical("c", shares="b")]
    assert "shares 'b', which has no table of its own: name 'user', which it shares" in schema_error(chain, [CLICK])
    assert "categorical 'b' has dim 4" in schema_error([USER, Categorical("b", dim=4, shares="user")], [CLICK])
    for option in ({"size": 3}, {"min_count": 2}, {"hash_buckets": 3}, {"dtype": "string"}):
        with pytest.raises(DeclarationError, match="the table is that of 'user': declare size"):
            Categorical("b", shares="user", **option)


def test_a_target_may_share_its_table():
    owner, target = Categorical("item", dim=4), Categorical("candidate", shares="item")
    seen = Sequence("seen", shares="item", pooling=declare.Attention("candidate"))
    schema = Schema(features=[owner, target, seen], tasks=[CLICK])
    assert [embedding_dim(feature, schema) for feature in schema.features] == [4, 4, 4]


def test_a_shared_table_has_one_width():
    assert "dim 4" in schema_error([USER, Sequence("history", dim=4, shares="user")], [CLICK])
    schema = Schema(features=[Sequence("h", shares="user", dim=16), Sequence("g", shares="user"), USER], tasks=[CLICK])
    assert [embedding_dim(feature, schema) for feature in schema.features] == [16, 16, 16]


def test_the_widths_of_embeddings():
    features = [Categorical("a", dim=3), Sequence("b"), Sequence("c", dim=5), Sequence("d", shares="a"), Vector("e", 2)]
    schema = Schema(features=features, tasks=[CLICK])
    assert [embedding_dim(feature, schema) for feature in features] == [3, 16, 5, 3, 0]


def test_only_keeps_the_named_tasks_in_the_named_order():
    schema = Schema(features=[USER], tasks=[CLICK, RATING])
    assert schema.only("rating").tasks == (RATING,)
    assert schema.only("rating", "click").tasks == (RATING, CLICK)
    assert schema.only("rating").features == schema.features
    assert schema.tasks == (CLICK, RATING)


def test_only_refuses_what_is_no_task():
    schema = Schema(features=[USER], tasks=[CLICK, RATING])
    with pytest.raises(DeclarationError, match=r"no task 'ratng' \(tasks: click, rating\); did you mean 'rating'\?"):
        schema.only("click", "ratng")
    with pytest.raises(DeclarationError, match=r"Schema\.tasks"):
        schema.only()


def test_a_list_given_is_no_longer_the_callers():
    features = [USER]
    schema = Schema(features=features, tasks=[CLICK])
    features.append(Numeric("age"))
    assert schema.features == (USER,)


def test_what_is_no_json_is_one_line():
    with pytest.raises(DeclarationError, match=r"schema: is not valid JSON: .*line 1 column 2") as caught:
        Schema.from_json("{features: []}")
    assert "\n" not in str(caught.value)


def test_a_bare_name_is_no_feature():
    with pytest.raises(DeclarationError, match=r"Schema\.features\[0\]: expected a declaration .* found 'user'"):
        Schema(features=["user"], tasks=[Binary("y")])


@pytest.mark.parametrize("name", ["gates", "fused"])
def test_what_stands_beside_the_predictions_is_no_name_of_one(name):
    expected = f"no prediction can be called {name!r}: give the task another name, and column={name!r}"
    assert expected in schema_error([USER], [CLICK, Regression(name)])
    assert Schema(features=[USER], tasks=[CLICK, Regression("other", column=name)]).tasks[1].column == name
