"""From live models, or weights with a specification, to rankers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from gatewise.convert import deepctr, rechub
from gatewise.convert.build import make_ranker
from gatewise.convert.live import unwrapped
from gatewise.convert.source import Source
from gatewise.convert.spec import MODELS, Spec
from gatewise.errors import DeclarationError, GatewiseWarning, did_you_mean, shown
from gatewise.ranker import Ranker

LIBRARIES: dict[str, Any] = {"torch-rechub": rechub, "deepctr-torch": deepctr}
"""The module that knows a library, by the library's name."""


def torch_rechub(
    model: nn.Module | Mapping[str, Tensor],
    tasks: Sequence[str] | None = None,
    *,
    features: Sequence[Any] | None = None,
    spec: Spec | None = None,
) -> Ranker:
    """Return a ranker whose predictions are those of a trained model of torch-rechub.

    Args:
        model: a live ``MMOE``, ``SharedBottom``, ``ESMM``, ``PLE`` or ``AITM``; or a state dictionary, with ``spec``.
        tasks: names of the tasks, in the order of the model's outputs; of ``ESMM`` two: the step before, such as a
            click, and the step after.
        features: the features that the model was made of, if they are not those that it holds.
        spec: what a state dictionary does not say.

    Raises:
        DeclarationError: something has no counterpart, or does not fit; names it.

    Warns:
        GatewiseWarning: further training will differ from that of the old model; says where.
    """
    if isinstance(model, nn.Module):
        model = unwrapped(model)
        spec = rechub.spec_of(model, tasks, features)
    return converted("torch-rechub", model, spec)


def deepctr_torch(
    model: nn.Module | Mapping[str, Tensor], tasks: Sequence[str] | None = None, *, spec: Spec | None = None
) -> Ranker:
    """Return a ranker whose predictions are those of a trained model of DeepCTR-Torch.

    Args:
        model: a live ``MMOE``, ``SharedBottom``, ``ESMM`` or ``PLE``; or a state dictionary, with ``spec``.
        tasks: names of the tasks, in the order of the model's outputs; by default those that the model was given. Of
            ``ESMM`` two: the step before, such as a click, and the step after.
        spec: what a state dictionary does not say.

    Raises:
        DeclarationError: something has no counterpart, or does not fit; names it.
    """
    if isinstance(model, nn.Module):
        model = unwrapped(model)
        spec = deepctr.spec_of(model, tasks)
    return converted("deepctr-torch", model, spec)


def converted(library: str, model: nn.Module | Mapping[str, Tensor], spec: Spec | None) -> Ranker:
    """Return a ranker from a model or weights of a library; see :func:`torch_rechub`."""
    if spec is None:
        raise DeclarationError(f"{library}: weights alone do not say features and tasks: give a spec")
    if spec.model not in MODELS[library]:
        known = MODELS[library]
        hint = did_you_mean(spec.model, known)
        raise DeclarationError(f"model: expected one of {library}'s {shown(known)}, found {spec.model!r}{hint}")
    of = LIBRARIES[library]
    weights = model.state_dict() if isinstance(model, nn.Module) else model
    source = Source(weights, f"{library} {spec.model}")
    of.check(spec)
    parts = of.READERS[spec.model](source, spec)
    ranker = make_ranker(spec, source, parts, table=of.table, order=of.order, funnel=spec.model == "ESMM")
    remarks = of.remarks(spec)
    if remarks:
        what = "; ".join(remarks)
        warnings.warn(
            f"{library} {spec.model}: predictions are the same, further training is not: {what}",
            GatewiseWarning,
            stacklevel=3,
        )
    return ranker
