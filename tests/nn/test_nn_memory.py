from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from gatewise.errors import OutOfMemoryError
from gatewise.nn.memory import enough_memory

SCRIPT = """
import resource, warnings
import torch, gatewise as gw
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
rows = {"user": [1, 2] * 30, "price": [1.0, 2.0] * 30, "click": [0, 1] * 30}
for feature, model in (
    (gw.Categorical("user", dim=16, hash_buckets=2_000_000_000), gw.MMoE()),
    (gw.Numeric("price"), gw.MMoE(experts=10_000, expert_dims=[4096, 4096])),
):
    try:
        gw.Ranker(gw.Schema(features=[feature], tasks=[gw.Binary("click")]), model, epochs=1).fit(rows)
    except gw.GatewiseError as error:
        print(error)
"""


def test_what_is_too_large_is_named_with_its_size() -> None:
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    embeddings, model = done.stdout.splitlines()
    assert embeddings.startswith(
        "there is no memory for the embeddings of feature 'user': 2,000,000,002 rows of 16 numbers, 119.2 GiB ("
    )
    assert model.startswith("there is no memory for the model: declare fewer or narrower experts and layers (625.0 GiB")


def test_other_errors_go_their_way() -> None:
    with pytest.raises(RuntimeError, match=r"size mismatch|shapes cannot be multiplied"), enough_memory("this"):
        torch.ones(2, 3) @ torch.ones(2, 3)
    for error in (MemoryError(), torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("can't allocate memory")):
        with pytest.raises(OutOfMemoryError, match=r"^there is no memory for this$"), enough_memory("this"):
            raise error
