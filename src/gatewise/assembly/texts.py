"""From a layout's language models to modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError

from gatewise.data.hub import hub_options, why_not
from gatewise.errors import DeclarationError, MissingExtraError
from gatewise.layout import TextColumn
from gatewise.nn import MultiTaskModel, TextEncoder


def build_text_encoder(column: TextColumn) -> TextEncoder:
    """Build the language model with random weights; :func:`load_language_models` fills in the pretrained ones.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    transformers = _transformers(column)
    options = json.loads(column.config)
    config = transformers.AutoConfig.for_model(options.pop("model_type"), **options)
    module = transformers.AutoModel.from_config(config, dtype=torch.float32)
    return TextEncoder(module, column.dim, pooling=column.pooling, frozen=column.frozen, padding=column.padding)


def load_language_models(model: MultiTaskModel) -> None:
    """Load the pretrained weights of a new model's language models.

    Raises:
        DeclarationError: the weights are missing, or do not fit the architecture.
    """
    for column, encoder in model.input_layer.readers():
        transformers = _transformers(column)
        try:
            with _quiet(transformers):
                source = transformers.AutoModel.from_pretrained(
                    column.source, dtype=torch.float32, **hub_options(column.source)
                )
            encoder.encoder.load_state_dict(source.state_dict())
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = why_not(column.source, error)
            raise DeclarationError(
                f"feature {column.name!r}: encoder {column.source!r} cannot be loaded: {reason}"
            ) from None


def _transformers(column: TextColumn) -> Any:
    try:
        import transformers
    except ImportError:
        raise MissingExtraError("text", f"feature {column.name!r}") from None
    return transformers


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Hide the progress bar of loading weights."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
