"""The standalone facet-aware mixture of experts on models of ``transformers``."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gatewise.errors import ShapeError
from gatewise.nn import FacetAwareMoEModel

TEXTS = ["The food was superb but the waiter was rude.", "Cheap!"]


def model_of(encoder: nn.Module, **options: object) -> FacetAwareMoEModel:
    torch.manual_seed(0)
    return FacetAwareMoEModel(encoder, 3, **{"num_experts": 4, "num_tasks": 2, **options}).eval()


def test_it_is_the_equation_on_a_real_encoder(minilm: str, transformers) -> None:
    encoder = transformers.AutoModel.from_pretrained(minilm).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(minilm)(TEXTS, padding=True, return_tensors="pt")
    ids, mask, facets = tokens["input_ids"], tokens["attention_mask"], torch.tensor([0, 2])
    model = model_of(encoder)
    with torch.no_grad():
        predictions, weights = model(ids, mask, facets, return_expert_weights=True)
        content = encoder(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]
        outputs = model.trunk.experts(content + model.facets.weight[facets])
        gate = (content @ model.trunk.gates.linear.weight[0].T).softmax(dim=1)
        mixed = (gate.unsqueeze(2) * outputs).sum(dim=1)
        expected = model.towers(mixed.unsqueeze(1).expand(-1, 2, -1))
    torch.testing.assert_close(weights, gate, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.cat(predictions, dim=1), expected, atol=1e-5, rtol=1e-4)
    assert weights.sum(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Bert", {}),
        ("Roberta", {"pad_token_id": 1}),
        ("DistilBert", {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}),
        ("Electra", {"embedding_size": 8}),
    ],
)
def test_any_encoder_trains_and_padding_changes_nothing(transformers, name: str, options: dict[str, object]) -> None:
    common = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    common |= {"intermediate_size": 32, "max_position_embeddings": 40}
    config = getattr(transformers, f"{name}Config")(**{**(common if name != "DistilBert" else {}), **options})
    model = model_of(getattr(transformers, f"{name}Model")(config), pooling="mean", num_heads=2)
    ids, facets = torch.randint(5, 50, (4, 9)), torch.tensor([0, 1, 2, 0])
    mask = torch.ones_like(ids)
    padded = torch.cat([ids, torch.full((4, 7), 3)], dim=1)
    hidden = torch.cat([mask, torch.zeros(4, 7, dtype=torch.long)], dim=1)
    for one, two in zip(model(ids, mask, facets), model(padded, hidden, facets), strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
    sum(y.sum() for y in model(ids, mask, facets)).backward()
    assert model.text.encoder.get_input_embeddings().weight.grad.abs().sum() > 0
    frozen = model_of(model.text.encoder, frozen=True, num_heads=2)
    sum(y.sum() for y in frozen(ids, mask, facets)).backward()
    assert not any(parameter.requires_grad for parameter in frozen.text.parameters())
    assert frozen.facets.weight.grad.abs().sum() > 0


def test_the_facet_decides_the_answer(tiny: str, transformers) -> None:
    """The same text is good in one respect and bad in the other: only the facet tells."""
    model = model_of(transformers.AutoModel.from_pretrained(tiny), num_tasks=1, num_heads=2).train()
    ids = torch.randint(5, 20, (64, 6))
    facets = torch.randint(0, 2, (64,))
    labels = facets.float()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        (scores,) = model(ids, torch.ones_like(ids), facets)
        nn.functional.binary_cross_entropy_with_logits(scores.squeeze(1), labels).backward()
        optimizer.step()
    (scores,) = model.eval()(ids, torch.ones_like(ids), facets)
    assert ((scores.squeeze(1) > 0) == labels.bool()).all()


def test_mistakes_are_named(tiny: str, transformers) -> None:
    encoder = transformers.AutoModel.from_pretrained(tiny)
    with pytest.raises(ShapeError, match=r"encoder_dim: the encoder has no config\.hidden_size"):
        FacetAwareMoEModel(nn.Embedding(5, 4), 3)
    with pytest.raises(ShapeError, match="expert_dim: expected a multiple of 3 heads, found 16"):
        model_of(encoder, num_heads=3)
    with pytest.raises(ShapeError, match="pooling: expected mean or cls, found 'last'"):
        model_of(encoder, pooling="last")
    with pytest.raises(ShapeError, match="num_facets: expected a positive whole number, found 0"):
        FacetAwareMoEModel(encoder, 0)
    ids = torch.zeros(2, 3, dtype=torch.long)
    with pytest.raises(ShapeError, match="feature 'facets': id 3 is out of range, its table has rows 0 to 2"):
        model_of(encoder)(ids, torch.ones_like(ids), torch.tensor([0, 3]))
