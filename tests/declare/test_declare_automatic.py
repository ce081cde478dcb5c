from __future__ import annotations

import pytest

from gatewise import declare
from gatewise.declare import AUTO, DEFAULT_MODEL, MMoE, Options, TableSize, Training, chosen, from_dict, resolved
from gatewise.errors import DeclarationError


@pytest.mark.parametrize(
    ("rows", "batch_size", "epochs", "unstopped", "members"),
    [
        (1, 32, 100, 60, 8),
        (537, 32, 100, 60, 8),
        (4_000, 32, 100, 22, 8),
        (20_000, 256, 100, 10, 8),
        (50_000, 512, 40, 6, 8),
        (50_001, 512, 40, 6, 4),
        (100_000, 1024, 20, 4, 4),
        (1_000_000, 1024, 2, 1, 1),
        (10_000_000_000, 1024, 2, 1, 1),
    ],
)
def test_auto_follows_from_the_rows(rows, batch_size, epochs, unstopped, members):
    found = chosen(Options(), TableSize(rows, validated=True))
    assert (found["batch_size"], found["epochs"], found["members"]) == (batch_size, epochs, members)
    assert chosen(Options(), TableSize(rows, validated=False))["epochs"] == unstopped


def test_an_epoch_of_a_table_of_medium_size_has_about_a_hundred_batches():
    for rows in range(5_000, 100_000, 1_111):
        batches = rows / chosen(Options(), TableSize(rows, validated=True))["batch_size"]
        assert 100 / 2**0.5 - 1 < batches < 100 * 2**0.5 + 1


@pytest.mark.parametrize(("epochs", "patience"), [(1, 3), (10, 3), (20, 4), (100, 10)])
def test_patience_follows_from_the_epochs_whoever_chose_them(epochs, patience):
    options = Options(training=Training(epochs=epochs))
    assert chosen(options, TableSize(10, validated=True))["patience"] == patience


def test_what_is_declared_stays():
    declared = Options(model=MMoE(members=3), training=Training(epochs=7, batch_size=5, patience=None, lr=0.1))
    assert chosen(declared, TableSize(10**6, validated=True)) == {}
    assert resolved(declared, TableSize(10**6, validated=True)) == declared
    some = resolved(Options(training=Training(epochs=7)), TableSize(20_000, validated=True))
    assert some.training.decided == (7, 256, 3, pytest.approx(2**0.5 * 1e-3))
    assert some.model.members == 8


def test_resolved_options_hold_no_auto_and_a_recipe_stays_a_recipe():
    data = {"train": "a.csv"}
    recipe = from_dict(
        declare.Recipe,
        {"data": data, "features": [{"kind": "numeric", "name": "x"}], "tasks": [{"kind": "binary", "name": "y"}]},
    )
    assert recipe.model == DEFAULT_MODEL
    found = resolved(recipe, TableSize(100, validated=False))
    assert type(found) is declare.Recipe
    assert AUTO not in (*found.training.decided, found.model.members)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": "ten"}, "Training.epochs: expected 'auto', found 'ten'"),
        ({"epochs": "aut"}, "expected 'auto', found 'aut'; did you mean 'auto'"),
        ({"lr": "fast"}, "Training.lr: expected 'auto', found 'fast'"),
        ({"lr": "-1e-3"}, "Training.lr: input should be greater than 0, found '-1e-3'"),
        ({"batch_size": 0}, "Training.batch_size: input should be greater than 0, found 0"),
        ({"patience": True}, "patience: expected a number, found true"),
    ],
)
def test_a_mistake_beside_auto_is_one_line(options, message):
    with pytest.raises(DeclarationError) as caught:
        Training(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ";" not in str(caught.value).replace("; did", "")


def test_a_length_that_no_table_has_decided_is_refused():
    with pytest.raises(DeclarationError, match="batch_size: is 'auto', and no table has decided it yet"):
        _ = Training(epochs=3, patience=1, lr=0.1).decided
    assert Training(epochs=3).known_epochs == 3
    assert Training().known_epochs is None


@pytest.mark.parametrize(
    ("options", "lr"),
    [
        ({"batch_size": 32}, 5e-4),
        ({"batch_size": 128}, 1e-3),
        ({"batch_size": 32, "accumulate": 4}, 1e-3),
        ({"batch_size": 512}, 2e-3),
        ({"batch_size": 1}, 5e-4),
        ({"batch_size": 65_536, "optimizer": "adam"}, 2e-3),
        ({"batch_size": 65_536, "optimizer": "sgd"}, 1e-3),
    ],
)
def test_the_learning_rate_follows_from_the_rows_of_a_step(options, lr):
    found = chosen(Options(training=Training(epochs=1, **options)), TableSize(10_000, validated=True))
    assert found["lr"] == pytest.approx(lr)


def test_numbers_written_as_text_are_numbers():
    # YAML reads 1e-3, without a point, as a text
    assert (Training(lr="1e-3").lr, Training(epochs="5").epochs) == (1e-3, 5)
