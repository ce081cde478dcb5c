"""From raw text to tokens."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.data.hub import hub_options
from gatewise.errors import ArtefactError, DeclarationError, MissingExtraError, TableError


def fitted(folder: str, texts: object, **options: object) -> TableEncoder:
    schema = gw.Schema([gw.Text("review", folder, **options)], [gw.Binary("liked")])
    return TableEncoder.fit(schema, {"review": texts, "liked": [0, 1] * (len(texts) // 2)})[0]


def tokens_of(encoder: TableEncoder, texts: object) -> list[list[int]]:
    (column,) = encoder.encode({"review": texts}, labels=False).texts
    values, offsets = column.tokens.values, column.tokens.offsets
    return [values[offsets[code] : offsets[code + 1]].tolist() for code in column.codes]


def test_tokens_are_those_of_the_models_own_tokeniser(tiny: str, transformers) -> None:
    texts = ["the film was good", "", "very very dull story", "the film was good", "what?"]
    own = transformers.AutoTokenizer.from_pretrained(tiny)
    assert tokens_of(fitted(tiny, ["a", "b"]), texts) == [own(text)["input_ids"] for text in texts]


def test_every_distinct_text_is_there_once_and_null_has_no_tokens(tiny: str) -> None:
    column = pa.array(["good", None, "bad", "good", None])
    for texts in (column, column.dictionary_encode(), column.cast(pa.large_string())):
        encoded = fitted(tiny, ["a", "b"]).encode({"review": texts}, labels=False).texts[0]
        assert encoded.codes.tolist() == [0, 2, 1, 0, 2]
        assert encoded.tokens.offsets.tolist() == [0, 3, 6, 6]


def test_long_texts_are_cut_with_their_end_mark(tiny: str) -> None:
    (cut,) = tokens_of(fitted(tiny, ["a", "b"], max_length=5), ["the film was very very good"])
    (whole,) = tokens_of(fitted(tiny, ["a", "b"], max_length=20), ["the film was"])
    assert cut == whole  # [CLS] the film was [SEP]


def test_texts_that_look_like_numbers_stay_texts(tiny: str, tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("review,liked\n007,1\n7,0\n", encoding="utf-8")
    schema = gw.Schema([gw.Text("review", tiny)], [gw.Binary("liked")])
    encoder, encoded = TableEncoder.fit(schema, table)
    assert tokens_of(encoder, ["007", "7"]) == tokens_of(fitted(tiny, ["a", "b"]), ["007", "7"])
    assert encoded.texts[0].codes.tolist() == [0, 1]
    assert len(encoded.texts[0].tokens) == 3
    assert encoder.encode(table).texts[0].tokens.values.tolist() == encoded.texts[0].tokens.values.tolist()


def test_saved_state_needs_no_source(tiny: str) -> None:
    encoder = fitted(tiny, ["a", "b"])
    feature = gw.Text("review", "nowhere/to-be-found")
    again = TableEncoder.from_state(gw.Schema([feature], [gw.Binary("liked")]), encoder.state())
    texts = ["a good story", None]
    assert tokens_of(again, texts) == tokens_of(encoder, texts)
    broken = encoder.state() | {"features": {"review": {"tokenizer": "{}"}}}
    with pytest.raises(ArtefactError, match="does not fit the schema"):
        TableEncoder.from_state(gw.Schema([feature], [gw.Binary("liked")]), broken)


@pytest.mark.parametrize("column", [[1, 2], [1.5, 2.5], [["a"], ["b"]], [True, False]])
def test_what_is_no_text_is_refused(tiny: str, column: object) -> None:
    with pytest.raises(TableError, match="feature 'review': expected strings, found "):
        fitted(tiny, column)


def test_what_cannot_be_read_is_named(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source in (str(tmp_path / "empty"), str(tmp_path / "absent"), "nobody/has-this"):
        with pytest.raises(DeclarationError, match=re.escape(f"feature 'review': encoder {source!r} cannot be read")):
            fitted(source, ["a", "b"])
    with pytest.raises(DeclarationError, match="feature 'review': max_length 129, and the encoder reads 128 tokens"):
        fitted(tiny, ["a", "b"], max_length=129)
    with pytest.raises(DeclarationError, match=r"Text\.pooling: expected 'mean' or 'cls', found 'clss'; did you mean"):
        gw.Text("review", tiny, pooling="clss")


def test_a_hub_that_cannot_be_reached_is_one_line_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    # nothing listens on a port that was free a moment ago
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(
        DeclarationError, match=f"cannot be read: http://127.0.0.1:{port} cannot be reached, and the cache"
    ):
        fitted("bert-base-uncased", ["a", "b"])
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DeclarationError, match=r"cannot be reached, .* give a folder with its files"):
        fitted("bert-base-uncased", ["a", "b"])
    assert "Retrying" not in caplog.text


def test_a_hub_that_answers_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert hub_options("bert-base-uncased") == {}
    assert hub_options("bert-base-uncased") == {"local_files_only": True}
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert hub_options("bert-base-uncased") == {}


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="absent' cannot be read: there is no such folder"):
        fitted(str(tmp_path / "absent"), ["a", "b"])


def test_the_missing_extra_is_named(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"feature 'review' needs .* pip install 'gatewise\[text\]'"):
        fitted(tiny, ["a", "b"])
