"""Every numeric bound: the last value that holds, and the first that does not."""

from __future__ import annotations

import pytest

from gatewise import declare
from gatewise.errors import DeclarationError


def make(cls, option, value):
    required = {"Categorical": ["a"], "Numeric": ["a"], "Sequence": ["a"], "Vector": ["a"], "Split": ["t"]}
    required |= {"Binary": ["a"], "Regression": ["a"]}
    return cls(*required.get(cls.__name__, []), **{option: value})


EPS = 1e-9
BOUNDS = [
    (declare.Categorical, "dim", 1, 0),
    (declare.Categorical, "dim", 65_536, 65_537),
    (declare.Categorical, "min_count", 1, 0),
    (declare.Categorical, "hash_buckets", 2, 1),
    (declare.Categorical, "hash_buckets", 2_147_483_000, 2_147_483_001),
    (declare.Numeric, "buckets", 2, 1),
    (declare.Numeric, "buckets", 65_536, 65_537),
    (declare.Numeric, "dim", 1, 0),
    (declare.Numeric, "dim", 65_536, 65_537),
    *((declare.PiecewiseLinear, option, 1, 0) for option in ("bins", "dim")),
    *((declare.Periodic, option, 1, 0) for option in ("frequencies", "dim")),
    (declare.Periodic, "sigma", EPS, 0),
    (declare.Sequence, "dim", 1, 0),
    (declare.Sequence, "dim", 65_536, 65_537),
    (declare.Sequence, "max_length", 1, 0),
    (declare.Sequence, "min_count", 1, 0),
    (declare.Sequence, "hash_buckets", 2, 1),
    (declare.Vector, "size", 1, 0),
    (declare.Vector, "size", 65_536, 65_537),
    *((task, "weight", 0, -EPS) for task in (declare.Binary, declare.Regression)),
    *((moe, "experts", 1, 0) for moe in (declare.OMoE, declare.MMoE)),
    (declare.StepDecay, "every", 1, 0),
    (declare.StepDecay, "factor", EPS, 0),
    (declare.StepDecay, "factor", 1, 1 + EPS),
    (declare.Cosine, "warmup", 0, -EPS),
    (declare.Cosine, "warmup", 1 - EPS, 1),
    (declare.Cosine, "floor", 0, -EPS),
    (declare.Cosine, "floor", 1, 1 + EPS),
    (declare.Plateau, "patience", 0, -1),
    (declare.Plateau, "factor", EPS, 0),
    (declare.Plateau, "factor", 1 - EPS, 1),
    *((declare.Training, option, 1, 0) for option in ("epochs", "batch_size", "accumulate", "patience")),
    (declare.Training, "conflict_every", 1, 0),
    (declare.TunedStatic, "candidates", 2, 1),
    (declare.TunedStatic, "epochs", 1, 0),
    (declare.TunedStatic, "spread", 1 + EPS, 1),
    *((rule, "temperature", EPS, 0) for rule in (declare.SoftUncertainty, declare.DWA)),
    (declare.SmoothTchebycheff, "mu", EPS, 0),
    *((rule, "lr", EPS, 0) for rule in (declare.FAMO, declare.GradNorm)),
    (declare.FAMO, "decay", 0, -EPS),
    (declare.GradNorm, "alpha", 0, -EPS),
    *((declare.MetaBalance, "relax", *bounds) for bounds in ((0, -EPS), (1, 1 + EPS))),
    *(
        (rule, "beta", *bounds)
        for rule in (declare.MetaBalance, declare.DBMTLBalance)
        for bounds in ((0, -EPS), (1 - EPS, 1))
    ),
    (declare.CAGrad, "c", 0, -EPS),
    (declare.FairGrad, "alpha", EPS, 0),
    *((declare.Training, option, EPS, 0) for option in ("lr", "clip_norm")),
    *((declare.Training, option, 0, -EPS) for option in ("weight_decay", "min_delta", "momentum")),
    (declare.Training, "momentum", 1 - EPS, 1),
    *((declare.Training, "ema", *bounds) for bounds in ((EPS, 0), (1 - EPS, 1))),
    (declare.Training, "average_last", 1, 0),
    (declare.Training, "seed", 0, -1),
    (declare.Training, "seed", 2**63 - 1, 2**63),
    (declare.Split, "valid", 0, -EPS),
    (declare.Split, "test", 0, -EPS),
    (declare.Split, "test", 0.8, 1),
]
for architecture in (declare.SingleTask, declare.SharedBottom, declare.OMoE, declare.MMoE):
    widths = "expert_dims" if hasattr(architecture, "expert_dims") else "bottom_dims"
    BOUNDS += [
        (architecture, "dropout", 0, -EPS),
        (architecture, "dropout", 1 - EPS, 1),
        (architecture, "l2_embedding", 0, -EPS),
        (architecture, "l2_dense", 0, -EPS),
        (architecture, "tower_dims", (1,), (0,)),
        (architecture, "tower_dims", (), (4, -4)),
        (architecture, widths, (1,), (0,)),
    ]


@pytest.mark.parametrize(("cls", "option", "good", "bad"), BOUNDS)
def test_bounds(cls, option, good, bad):
    assert getattr(make(cls, option, good), option) == good
    with pytest.raises(DeclarationError, match=rf"^{cls.__name__}\.{option}(\[\d\])?: ") as caught:
        make(cls, option, bad)
    found = bad[-1] if isinstance(bad, tuple) else bad
    assert str(caught.value).endswith(f"found {found!r}")


@pytest.mark.parametrize(
    ("cls", "option", "bad"),
    [
        (declare.Numeric, "transform", "logg"),
        (declare.Sequence, "pooling", "avg"),
        (declare.Sequence, "keep", "middle"),
        (declare.Sequence, "separator", ""),
        (declare.Categorical, "name", ""),
        (declare.Categorical, "column", ""),
        (declare.MMoE, "activation", "swishy"),
        (declare.MMoE, "norm", "group"),
        (declare.MMoE, "expert_dims", "64"),
        (declare.MMoE, "expert_dims", 64),
        (declare.MMoE, "experts", 1.5),
        (declare.StepDecay, "unit", "week"),
        (declare.Cosine, "unit", "week"),
        (declare.Training, "optimizer", "lion"),
        (declare.Training, "precision", "fp8"),
        (declare.Training, "schedule", "cosin"),
        (declare.Training, "device", "gpu"),
        (declare.Training, "device", "cuda:x"),
        (declare.Training, "monitor", "auc"),
        (declare.Training, "monitor", "means"),
        (declare.Training, "epochs", "many"),
    ],
)
def test_values_that_are_none_of_the_choices(cls, option, bad):
    arguments = {"name": "a"} if cls in (declare.Numeric, declare.Sequence, declare.Categorical) else {}
    with pytest.raises(DeclarationError, match=rf"^{cls.__name__}\.{option}: .*found "):
        cls(**{**arguments, option: bad})


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
def test_devices(device):
    assert declare.Training(device=device).device == device


@pytest.mark.parametrize("monitor", ["mean", "click.auc", "a task.with.dots.r2"])
def test_monitors(monitor):
    assert declare.Training(monitor=monitor).monitor == monitor


def test_a_schedule_goes_by_its_name():
    assert declare.Training(schedule="plateau").schedule == declare.Plateau()
