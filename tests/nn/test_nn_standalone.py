from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.nn import MMoEModel, MMoERecommendationModel


def recommender(**options: object) -> MMoERecommendationModel:
    torch.manual_seed(0)
    return MMoERecommendationModel(
        **{"user_cardinality": 10, "item_cardinality": 20, "embedding_dim": 4, "num_dense_features": 3} | options
    )


def test_the_arguments_of_the_articles() -> None:
    model = MMoEModel(
        input_dim=128,
        num_experts=3,
        num_tasks=2,
        expert_hidden_dims=[64, 32],
        gate_hidden_dims=[16],
        tower_hidden_dims=[32, 16],
        dropout_rate=0.2,
        task_output_dims=[1, 5],
    )
    x = torch.randn(32, 128)
    predictions = model(x)
    assert isinstance(predictions, list)
    assert [list(y.shape) for y in predictions] == [[32, 1], [32, 5]]
    predictions, weights = model(x, return_expert_weights=True)
    assert [list(y.shape) for y in predictions] == [[32, 1], [32, 5]]
    assert [list(w.shape) for w in weights] == [[32, 3]] * 2
    for weight in weights:
        torch.testing.assert_close(weight.sum(dim=1), torch.ones(32), atol=1e-6, rtol=0)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_any_batch(training: bool, rows: int) -> None:
    model = recommender(num_experts=4, num_tasks=3).train(training)
    users, items = torch.randint(0, 10, (rows,)), torch.randint(0, 20, (rows,))
    predictions, weights = model(users, items, torch.randn(rows, 3), return_expert_weights=True)
    assert [list(y.shape) for y in predictions] == [[rows, 1]] * 3
    assert [list(w.shape) for w in weights] == [[rows, 4]] * 3


def test_it_is_the_model_on_the_embeddings() -> None:
    model = recommender().eval()
    users, items, dense = torch.tensor([9, 0]), torch.tensor([0, 19]), torch.randn(2, 3)
    x = torch.cat([model.embeddings.rows_of(0)[users], model.embeddings.rows_of(1)[items], dense], dim=1)
    for found, expected in zip(model(users, items, dense), super(type(model), model).forward(x), strict=True):
        assert torch.equal(found, expected)


def test_every_id_has_a_vector_from_the_start() -> None:
    assert recommender().embeddings.weight_of_dim(4).ne(0).any(dim=1).all()


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([0, 10], [0, 0], "feature 'user_ids': id 10 is out of range, its table has rows 0 to 9"),
        ([0, -1], [0, 0], "feature 'user_ids': id -1"),
        ([0, 0], [20, 0], "feature 'item_ids': id 20 is out of range, its table has rows 0 to 19"),
        ([0, 0], [0, -1], "feature 'item_ids': id -1"),
    ],
)
def test_an_id_out_of_range_names_its_feature(users: list[int], items: list[int], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        recommender()(torch.tensor(users), torch.tensor(items), torch.zeros(2, 3))


@pytest.mark.parametrize(("width", "found"), [(None, 0), (2, 2)])
def test_dense_features_of_another_width(width: int | None, found: int) -> None:
    ids = torch.zeros(4, dtype=torch.long)
    dense = None if width is None else torch.zeros(4, width)
    with pytest.raises(ShapeError, match=f"dense_features: expected width 3, found {found}"):
        recommender()(ids, ids, dense)


def test_without_dense_features() -> None:
    ids = torch.zeros(4, dtype=torch.long)
    model = recommender(num_dense_features=0)
    assert len(model(ids, ids)) == 2
    with pytest.raises(ShapeError, match="expected width 0, found 3"):
        model(ids, ids, torch.zeros(4, 3))


@pytest.mark.parametrize("shape", [(4, 7), (8,), (4, 2, 8)])
def test_inputs_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"input: expected shape \[batch, 8\], found \["):
        MMoEModel(8)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tasks": 2, "task_output_dims": [1]}, "task_output_dims: expected 2 entries, one per task, found 1"),
        ({"num_tasks": 2, "task_output_dims": [2, 0]}, "output_dims.*found 0"),
        ({"num_experts": 0}, "num_experts: expected a positive whole number, found 0"),
        ({"num_tasks": 0}, "num_tasks: expected a positive whole number, found 0"),
        ({"input_dim": 0}, "input_dim: .* found 0"),
        ({"expert_hidden_dims": [4, -1]}, r"dims\[1\]: .* found -1"),
        ({"dropout_rate": 1.5}, "dropout: .* found 1.5"),
    ],
)
def test_errors_name_the_argument(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        MMoEModel(**{"input_dim": 8} | options)


@pytest.mark.parametrize("name", ["user_cardinality", "item_cardinality", "embedding_dim"])
def test_sizes_of_the_tables(name: str) -> None:
    with pytest.raises(ShapeError, match=f"{name}: expected a positive whole number, found 0"):
        recommender(**{name: 0})
