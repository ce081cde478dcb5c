"""A training draws from a stream of its own, whatever other threads draw meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.draws import Draws, drawing, generator, lent
from gatewise.nn.layers import Dropout

CPU = torch.device("cpu")
# what draws: dropout of ours, of the input and of gates, noise of gates, weights of a rule, steps that run twice
MODELS = {
    "dropout": (gw.MMoE(experts=3, expert_dims=[8], dropout=0.2, input_dropout=0.1, tower_dims=[4]), "static", {}),
    "gates": (gw.MMoE(experts=3, expert_dims=[8], gate=gw.TopKGate(k=2, noisy=True, dropout=0.2)), "rlw", {}),
    "rehearsed": (gw.PLE(expert_dims=[8], dropout=0.2), "famo", {"accumulate": 2}),
}


def predicted(feed, schema, name: str) -> object:
    model, balance, options = MODELS[name]
    ranker = gw.Ranker(schema, model, balance=balance, epochs=2, batch_size=128, lr=0.02, **options)
    return ranker.fit(feed).predict(feed)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:expert . is dead", "ignore:gate")
def test_trainings_side_by_side_are_what_each_is_alone(feed, feed_schema, name: str) -> None:
    small = feed.slice(0, 600)
    alone = predicted(small, feed_schema, name)
    state = torch.get_rng_state()
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda _: predicted(small, feed_schema, name), range(3)))
    assert all(found == alone for found in together)
    # nor does anybody else notice
    assert torch.equal(torch.get_rng_state(), state)


def test_a_stream_is_what_torch_draws_from_the_same_seed() -> None:
    draws = Draws(CPU)
    draws.seed(5)
    with drawing(draws):
        own = [Dropout(0.3)(torch.ones(50)), torch.rand(3, generator=generator(CPU))]
        with lent():
            own += [torch.rand(4), nn.functional.dropout(torch.ones(9))]
        own.append(torch.rand(2, generator=generator(CPU)))
    torch.manual_seed(5)
    same = [Dropout(0.3)(torch.ones(50)), torch.rand(3), torch.rand(4), nn.functional.dropout(torch.ones(9))]
    same.append(torch.rand(2))
    assert all(torch.equal(a, b) for a, b in zip(own, same, strict=True))


def test_without_a_training_the_callers_stream_is_drawn_from() -> None:
    assert generator(CPU) is None
    torch.manual_seed(3)
    with lent():
        first = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(2), first)


def test_modules_of_others_draw_from_the_training_that_runs_them() -> None:
    """Two threads whose modules know the global stream alone, held at the same place on purpose."""
    barrier = threading.Barrier(2)

    def draw(seed: int, wait: bool) -> list[Tensor]:
        draws, found = Draws(CPU), []
        draws.seed(seed)
        with drawing(draws):
            for _ in range(20):
                if wait:
                    barrier.wait(timeout=30)
                with lent():
                    found.append(nn.functional.dropout(torch.ones(64)))
        return found

    alone = [draw(seed, wait=False) for seed in (1, 2)]
    before = torch.get_rng_state()
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: draw(seed, wait=True), (1, 2)))
    assert all(
        torch.equal(a, b) for one, two in zip(alone, together, strict=True) for a, b in zip(one, two, strict=True)
    )
    assert torch.equal(torch.get_rng_state(), before)
