"""What every declaration promises, asserted for all of them."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
import yaml

from gatewise import declare
from gatewise.declare import from_dict, to_dict
from gatewise.declare.base import read_yaml
from gatewise.errors import DeclarationError


class Registered:
    """A registered class; nothing of it is called here."""

    def __init__(self, *, size: int = 3) -> None: ...


METRIC = declare.register_kind("metric", "own_metric", Registered, declare.RegisteredMetric, ())(size=4)
CALLBACK = declare.register_kind("callback", "own_callback", Registered, declare.RegisteredCallback, ())(size=4)
CROSS = declare.CrossInteraction(width=8, layers=3, rank=2)
OWN = {
    "tower_dims": [5], "tower_activation": "prelu", "tower_dropout": 0.4, "activation": "gelu", "dropout": 0.5,
    "norm": "batch", "l2_embedding": 1e-3, "l2_dense": 1e-4, "l1_embedding": 1e-5, "l1_dense": 1e-6,
    "ordered": ["click", "buy"], "expectation": 0.5, "input_norm": "layer", "input_dropout": 0.2, "shared_dims": [9],
    "interaction": CROSS, "tower_residual": True,
    "members": "auto", "id_dropout": 20.0, "numbers": declare.Periodic(dim=3),
    "side": {"features": ["a"], "dims": [3], "dropout": 0.3}}  # fmt: skip

EVENT_IDS = [
    declare.EventId("item", shares="a", column="past"),
    declare.EventId("action", 4, min_count=2, keep_days=3, max_rows=9, dtype="string"),
    declare.EventId("place", hash_buckets=7),
    declare.EventId("day", size=7),
]
EVENT_NUMBERS = [declare.EventNumber("dwell", "log", column="seconds")]
ATTENTION = declare.EventAttention(["a"], dims=[5], normalise=True)
FEATURES = [
    declare.Categorical("a", dim=3, min_count=2, keep_days=3, max_rows=9, column="c"),
    declare.Categorical("b", hash_buckets=2, dim=1, dtype="string"),
    declare.Categorical("wide", size=3, pretrained=declare.Pretrained("w.npy", frozen=False, key="k", vector="x")),
    declare.Categorical("like a", shares="a"),
    declare.Numeric("n", transform="bucket", buckets=4, dim=2, column="m"),
    declare.Numeric("o", transform="log", embedding=declare.Periodic(frequencies=3, sigma=0.5, dim=2)),
    declare.Numeric("q", transform="bucket", boundaries=[1, 2.5]),
    declare.Numeric("p", embedding=declare.PiecewiseLinear(bins=4, dim=2)),
    declare.Sequence(
        "s", dim=4, pooling="max", separator=", ", max_length=3, keep="first", min_count=2, keep_days=3, column="t"
    ),
    declare.Sequence("u", shares="a", pooling=declare.Attention("a", dims=[5], normalise=True)),
    declare.Sequence("x", pooling=declare.GRU(dim=3), pretrained="x.parquet"),
    declare.Sequence("y", pooling=declare.Transformer(dim=6, heads=3, layers=2)),
    declare.Sequence("v", hash_buckets=7, dtype="integer", padding=0),
    declare.Sequence("z", keep_days=3, max_rows=9),
    declare.Sequence("weighted", dim=3, weights="scores"),
    declare.Events("history", ids=EVENT_IDS, numbers=EVENT_NUMBERS, pooling=ATTENTION, max_length=9, keep="first"),
    declare.Events("past", ids=[declare.EventId("x")], pooling=declare.Transformer(dim=6), separator=","),
    declare.Vector("w", 3, column="x"),
    declare.Text("t", "models/bert", "cls", False, 0.1, 64, "u"),
]
TASKS = [
    declare.Binary("click", 0.5, column="clicked", weight_column="cost"),
    declare.Binary("cart", after="click"),
    declare.Binary("share", loss="jrc", calibration_share=0.25),
    declare.Binary("buy", after="click", through="cart", learn="ips", clip=0.05, conflicts="drop"),
    declare.Binary(
        "like", ranking="listwise", ranking_weight=0.5, focal=2.0, within="click", reads=["click"], metrics=[METRIC]
    ),
    declare.Regression(
        "rating", 2.0, column="stars", weight_column="trust", within="click", reads=["click"], metrics=[METRIC]
    ),
    declare.Regression("price", loss="huber", delta=0.5),
    declare.Regression("dwell", loss="quantile", quantile=0.9),
    declare.Multiclass(
        "device",
        2.0,
        column="d",
        weight_column="trust",
        within="click",
        reads=["click"],
        classes=["web", "tv"],
        metrics=[METRIC],
    ),
    declare.Ordinal(
        "mood",
        2.0,
        column="md",
        weight_column="trust",
        within="click",
        reads=["click"],
        levels=[0, 1.5, 3],
        metrics=[METRIC],
    ),
    declare.Count(
        "visits",
        2.0,
        column="vi",
        weight_column="trust",
        within="click",
        reads=["click"],
        loss="tweedie",
        power=1.2,
        metrics=[METRIC],
    ),
    declare.LifetimeValue(
        "revenue", 2.0, column="re", weight_column="trust", within="click", reads=["click"], metrics=[METRIC]
    ),
    declare.LifetimeValue("paid", after="click"),
    declare.Duration(
        "play",
        2.0,
        column="pl",
        weight_column="trust",
        within="click",
        reads=["click"],
        limit="length",
        unit=1000.0,
        metrics=[METRIC],
    ),
    declare.Custom(
        "own",
        2.0,
        column="ow",
        weight_column="trust",
        within="click",
        reads=["click"],
        by="mine",
        options={"k": [1, "a"]},
        metrics=[METRIC],
    ),
    declare.Binary("late", delay="3d", time="at", late="importance", seen="paid_at"),
    declare.Binary("kept", negatives_kept=0.1),
    declare.Regression("later", delay=3.5, time="day"),
    declare.Multiclass("later_class", delay="12h", time="at"),
    declare.Ordinal("later_level", delay="12h", time="at"),
    declare.Count("later_count", delay="1w", time="at"),
    declare.LifetimeValue("later_value", delay="30min", time="at"),
    declare.Duration("later_time", delay="90s", time="at"),
    declare.Custom("later_own", by="log_cosh", delay="3d", time="at"),
]
SCHEDULES = [
    declare.StepDecay(every=2, factor=0.1, unit="step"),
    declare.Cosine(warmup=0.3, floor=0.2, unit="epoch"),
    declare.Plateau(patience=0, factor=0.9),
]
TRAINING = declare.Training(
    epochs=2,
    batch_size=3,
    accumulate=4,
    optimizer="sgd",
    lr=0.5,
    embedding_lr=0.25,
    momentum=0.25,
    weight_decay=0.125,
    embedding_update="rowwise_adagrad",
    embedding_decay=0.25,
    compile=True,
    conflict_every=7,
    schedule="cosine",
    clip_norm=2.0,
    ema=0.99,
    monitor="click.auc",
    patience=None,
    min_delta=1e-4,
    precision="bf16",
    device="cuda:1",
    seed=2**63 - 1,
    memory="1.5 GB",
    order="time",
    cache="rows",
    save_minutes=2.5,
    ranks=2,
    tables="shard",
    keep_optimizer=True,
    callbacks=[CALLBACK],
)
SPLIT = declare.Split("time", valid=0.3, test=0.2)
OF_ALL = {"features": ["a"], "dropout": 0.1, "importance": 0.2, "entropy": 0.3}
OF_LOGITS = OF_ALL | {
    "z_loss": 0.4, "zero_init": True, "temperature": 2.0, "final_temperature": 0.5, "anneal_steps": 9,
}  # fmt: skip
GATE = declare.SoftmaxGate(bias=True, **OF_LOGITS)
GATED = {
    "gate": GATE,
    "gate_dims": [2],
    "gate_activation": "tanh",
    "gate_dropout": 0.2,
    "expert_activation": "dice",
    "expert_dropout": 0.3,
}
TRACKERS = [
    declare.TensorBoardTracking("board"),
    declare.MLflowTracking("sqlite:///x.db", experiment="feed", run="wide", log_model=False),
    declare.WandbTracking("feed", entity="team", run="wide", mode="offline"),
]
OTHERS = [
    declare.Training(average_last=3),
    *EVENT_IDS,
    *EVENT_NUMBERS,
    ATTENTION,
    declare.SingleTask(bottom_dims=[7], **OWN),
    declare.SharedBottom(bottom_dims=[7, 8], **OWN),
    declare.OMoE(experts=3, expert_dims=[7], expert_norm=True, **GATED, levels=2, **OWN),
    declare.MMoE(experts=3, expert_dims=[7], expert_norm=True, **GATED, levels=2, **OWN),
    declare.CGC(own_experts=[1, 0], shared_experts=3, expert_dims=[7], **GATED, **OWN),
    declare.PLE(own_experts=1, shared_experts=3, expert_dims=[7], **GATED, levels=3, **OWN),
    declare.AdaTT(own_experts=[1, 2], shared_experts=3, expert_dims=[7], **GATED, levels=3, **OWN),
    declare.CrossStitch(layer_dims=[7], self_weight=0.75, **OWN),
    declare.AITM(order=["buy", "click"], bottom_dims=[7], **OWN),
    declare.HoME(
        groups={"b": ["like"], "a": ["buy", "click"]},
        experts=1,
        expert_dims=[7],
        rank=3,
        **GATED,
        **{**OWN, "norm": "layer"},
    ),
    declare.STEM(own_experts=[1, 0], shared_experts=3, expert_dims=[7], **GATED, **OWN),
    declare.PEPNet(scenario=["a"], priors=["b", "n"], layer_dims=[7], gate_dims=[2], **OWN),
    declare.MMoE(experts=[declare.MLPExpert(dims=[7, 3], count=2), declare.CrossExpert(width=3)]),
    declare.MLPExpert(dims=[7, 3], count=2),
    declare.ResidualExpert(dims=[7, 3], count=2),
    declare.CrossExpert(width=3, layers=3, rank=2, count=2),
    declare.ConvolutionalExpert(width=3, channels=5, kernel=5, places=2, count=2),
    declare.SideTower(["a"], dims=[3], dropout=0.3),
    declare.FacetAwareMoE(facet="a", experts=3, heads=2, expert_dim=8, **GATED, **OWN),
    declare.MoSE(
        sequence="z",
        cell="transformer",
        experts=3,
        expert_dim=8,
        heads=4,
        layers=2,
        **GATED,
        **OWN,
    ),
    declare.Attention("a", dims=[5], normalise=True),
    declare.Sequence("z", pooling=None, padding="<pad>"),
    declare.GRU(dim=3),
    declare.Transformer(dim=6, heads=3, layers=2),
    declare.PiecewiseLinear(bins=4, dim=2, beyond="flat"),
    declare.Periodic(frequencies=3, sigma=0.5, dim=2),
    declare.Pretrained("v.npy", frozen=False, key="k", vector="x"),
    GATE,
    declare.AttentionGate(tokens=3, width=6, heads=2, **OF_LOGITS),
    declare.TopKGate(k=3, noisy=True, bias=True, **OF_LOGITS),
    declare.DSelectKGate(k=3, per_row=False, gamma=0.5, selector_entropy=0.2, unused_codes=0.3, **OF_ALL),
    declare.Static(weights={"click": 0.5}),
    declare.TunedStatic(candidates=3, epochs=2, spread=4.0),
    declare.Uncertainty(initial_log_variance=-1.5),
    declare.ConstrainedUncertainty(),
    declare.SoftUncertainty(temperature=0.5),
    declare.DWA(temperature=1.5),
    declare.RLW(),
    declare.GeometricMean(),
    declare.IMTLL(),
    declare.SmoothTchebycheff(mu=0.1),
    declare.FAMO(lr=0.01, decay=0.1),
    declare.GradNorm(alpha=0.5, lr=0.1, at="representation"),
    declare.MetaBalance(target="click", relax=0.5, beta=0.5, strategy="up", at="experts"),
    declare.DBMTLBalance(beta=0.5, at="experts"),
    *(rule(at="experts") for rule in (declare.MGDA, declare.PCGrad, declare.UPGrad, declare.IMTLG)),
    *(rule(at="experts") for rule in (declare.AlignedMTL, declare.DualProj, declare.NashMTL)),
    declare.CAGrad(c=0.25, at="experts"),
    declare.FairGrad(alpha=1.0, at="experts"),
    declare.Options(model="omoe", balance="uncertainty", training=declare.Training(epochs=2), fusion="click"),
    TRAINING,
    declare.Update(epochs=2, lr=0.5, schedule=None, replay_share=0.5, pull=0.25, admit=False),
    *SCHEDULES,
    *(declare.Training(schedule=schedule) for schedule in SCHEDULES),
    SPLIT,
    CROSS,
    declare.Split("day", valid_from=20220503, test_from=20220504),
    declare.Split(seed=1),
    declare.Split(seed=1, group="user"),
    declare.Sql(sql="postgresql://host/db", query="select $1", parameters=(1, "a", None, True, 0.5)),
    declare.Cluster(ray="ray://head:10001", workers=3, cpus=2.0, gpus=0.5, max_failures=4, storage="/shared"),
    declare.Calibration("down_sampling", rate=0.1, tasks=["click"]),
    declare.Data(train="a.csv", valid="b.csv", test="c.csv", now="2026-05-04"),
    declare.Data(table="a.csv", split=SPLIT),
    declare.Data(dataset="movielens", path="ml.zip", split=SPLIT),
    declare.Schema(features=FEATURES, tasks=TASKS, group="request", known=["cost"], context=["cost"]),
    declare.Recipe(
        group="request",
        known=["cost"],
        context=["cost"],
        data=declare.Data(train="a.csv"),
        cluster=declare.Cluster(workers=3),
        features=FEATURES,
        tasks=TASKS,
        model=declare.OMoE(experts=2),
        balance="uncertainty",
        training=TRAINING,
        calibration="platt",
        fusion="click^0.5 + 2 * rating",
        goals=["click", "rating"],
        output="there",
        track={"tensorboard": "board"},
        tune={"training.lr": [1e-4, 1e-2, "log"], "model.expert_dims": [[8], [16, 8]], "balance": []},
    ),
    *TRACKERS,
    declare.Track(**dict(zip(("tensorboard", "mlflow", "wandb"), TRACKERS, strict=True))),
]
EVERY = [*FEATURES, *TASKS, *OTHERS]
REQUIRED = {
    "target",
    "facet",
    "dims",
    "width",
    "groups",
    "scenario",
    "priors",
    "sql",
    "query",
    "order",
    "by",
    "kind",
    "name",
    "size",
    "time",
    "folder",
    "balance",
    "data",
    "features",
    "tasks",
}


def names(declared):
    return type(declared).__name__


def test_every_declaration_and_every_option_has_an_example_here():
    # what registered kinds, or some of our own, have in common
    no_options = {declare.Architecture, declare.GatedArchitecture, declare.Label, declare.Fusion, declare.Balance}
    no_options |= {declare.Gate, declare.Interaction, declare.RegisteredExpert, declare.RegisteredGate}
    no_options |= {declare.RegisteredPooling, declare.RegisteredMetric, declare.RegisteredCallback}
    classes = {c for c in vars(declare).values() if isinstance(c, type) and is_dataclass(c)} - no_options
    assert {type(declared) for declared in EVERY} == classes
    for cls in classes:
        for option in fields(cls):
            values = [getattr(declared, option.name) for declared in EVERY if type(declared) is cls]
            assert option.name in REQUIRED or any(value != option.default for value in values), (cls, option.name)


@pytest.mark.parametrize("declared", EVERY, ids=names)
def test_declarations_go_to_json_and_yaml_and_back(declared):
    plain = to_dict(declared)
    assert from_dict(type(declared), json.loads(json.dumps(plain))) == declared
    assert from_dict(type(declared), yaml.safe_load(yaml.safe_dump(plain))) == declared


@pytest.mark.parametrize("declared", EVERY, ids=names)
def test_declarations_compare_and_hash_by_value(declared):
    twin = from_dict(type(declared), to_dict(declared))
    assert twin is not declared
    assert len({twin, declared}) == 1


@pytest.mark.parametrize("declared", EVERY, ids=names)
def test_declarations_are_frozen(declared):
    option = fields(declared)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(declared, option, getattr(declared, option))


@pytest.mark.parametrize("declared", EVERY, ids=names)
def test_an_unknown_option_is_an_error_that_names_the_nearest(declared):
    option = max((field.name for field in fields(declared)), key=len)
    plain = {**to_dict(declared), option + "z": 1}
    message = f"{names(declared)}.{option}z: unknown option; did you mean {option!r}?"
    with pytest.raises(DeclarationError) as caught:
        from_dict(type(declared), plain)
    assert str(caught.value) == message
    options = {field.name: getattr(declared, field.name) for field in fields(declared)}
    with pytest.raises(DeclarationError) as caught:
        type(declared)(**options, **{option + "z": 1})
    assert str(caught.value) == message


@pytest.mark.parametrize("declared", EVERY, ids=names)
def test_every_option_says_what_it_does(declared):
    # an inherited option is described where it is declared
    homes = [cls.__pydantic_fields__ for cls in type(declared).__mro__ if is_dataclass(cls)]
    for option in fields(declared):
        described = [home[option.name].description for home in homes if option.name in home]
        assert option.name == "kind" or any(described), option.name


def test_all_mistakes_are_told_at_once_each_on_its_line():
    with pytest.raises(DeclarationError) as caught:
        from_dict(declare.MMoE, {"experts": 0, "dropuot": 0.1, "norm": "bach", "expert_dims": [8, -1]}, "file")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("file: MMoE.") for line in lines)
    assert sorted(line.removeprefix("file: MMoE.").split(":")[0] for line in lines) == [
        "dropuot",
        "expert_dims[1]",
        "experts",
        "norm",
    ]
    assert any("did you mean 'batch'?" in line for line in lines)
    assert any("did you mean 'dropout'?" in line for line in lines)


def test_a_python_call_tells_all_mistakes_on_one_line():
    with pytest.raises(DeclarationError, match=r"MMoE\.dropout: .*found 1\.0; MMoE\.experts: .*found 0$") as caught:
        declare.MMoE(experts=0, dropout=1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda: declare.Categorical(), "Categorical.name"),
        (lambda: declare.Vector("a"), "Vector.size"),
        (lambda: declare.Recipe(), "Recipe.tasks"),
    ],
)
def test_what_is_missing_is_named(call, path):
    with pytest.raises(DeclarationError, match=rf"{path}: is required"):
        call()


def test_options_are_not_positional_where_the_order_says_nothing():
    with pytest.raises(DeclarationError, match=r"MMoE.*positional"):
        declare.MMoE(8)


def test_an_option_given_by_position_goes_by_its_name():
    with pytest.raises(DeclarationError, match=r"^Categorical\.dim: .*found 0$"):
        declare.Categorical("a", 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_are_finite(bad):
    with pytest.raises(DeclarationError, match=r"Training\.lr: .*finite"):
        declare.Training(lr=bad)
    with pytest.raises(DeclarationError, match=r"Binary\.weight: .*finite"):
        declare.Binary("click", bad)


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(DeclarationError, match=r"Schema\.features\[0\]: .*'categorcal'; did you mean 'categorical'\?"):
        from_dict(declare.Schema, {"features": [{"kind": "categorcal", "name": "a"}], "tasks": [to_dict(TASKS[0])]})


def test_a_missing_kind_is_asked_for():
    with pytest.raises(DeclarationError, match=r"Schema\.tasks\[0\]: needs a 'kind'"):
        from_dict(declare.Schema, {"features": [to_dict(FEATURES[0])], "tasks": [{"name": "a"}]})


def test_a_long_value_is_shortened():
    with pytest.raises(DeclarationError) as caught:
        declare.Training(epochs="x" * 1000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1", "line 1, column 6"),
        ("a: 1\nb: }", "line 2, column 4"),
        ("a: \x01", "not valid YAML"),
        ("a: 2024-13-45", "month must be"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_its_place(text, place):
    with pytest.raises(DeclarationError, match=place) as caught:
        read_yaml(text, "file.yaml")
    assert str(caught.value).startswith("file.yaml: ")
    assert "\n" not in str(caught.value)


def test_yaml_makes_no_objects():
    with pytest.raises(DeclarationError, match="could not determine a constructor"):
        read_yaml("!!python/object/apply:os.getcwd []", "file.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "r: line 3, column 1 is not valid YAML: key 'a' stands there twice, first in line 1"),
        ("x: {c: 1, 'c': 2}", "r: line 1, column 11 is not valid YAML: key 'c' stands there twice, first in line 1"),
        ('{"a": 1, "a": 1}', "r: line 1, column 10 is not valid YAML: key 'a' stands there twice, first in line 1"),
        ("- {1: 2,\n   1: 2}", "r: line 2, column 4 is not valid YAML: key '1' stands there twice, first in line 1"),
    ],
)
def test_a_key_stands_once_in_a_mapping(text, message):
    with pytest.raises(DeclarationError) as caught:
        read_yaml(text, "r")
    assert str(caught.value) == message


def test_what_is_merged_may_be_given_again():
    text = "a: &a {k: 1, m: 2}\nb: {<<: *a, k: 3}\nc: *a\nd: {k: 1, 1: 2, '1': 3}"
    expected = {"a": {"k": 1, "m": 2}, "b": {"k": 3, "m": 2}, "c": {"k": 1, "m": 2}, "d": {"k": 1, 1: 2, "1": 3}}
    assert read_yaml(text, "r") == expected
