"""Kinds of one's own: trunks, experts, gates, interactions, poolings, tasks, metrics, balancing rules, reporters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from gatewise import declare
from gatewise.balance import BalanceRule
from gatewise.errors import DeclarationError, shown
from gatewise.nn import Gates, Trunk
from gatewise.tasks import Task
from gatewise.training import Reporter

Cls = TypeVar("Cls", bound=type)
Place = Literal["trunk", "expert", "gate", "interaction", "pooling", "task", "metric", "balance", "callback"]


@dataclass(frozen=True)
class Door:
    """A place for kinds of one's own.

    Attributes:
        base: the declaration that all registered kinds have in common.
        required: arguments that the constructor takes, and the builder gives.
        given: arguments that the builder gives where the constructor takes them.
        parent: a subclass of it is known to belong here.
        methods: what a class must have.
    """

    base: type
    required: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    parent: type | None = None
    methods: tuple[str, ...] = ()


HIDDEN = ("activation", "dropout", "norm")
DOORS: dict[str, Door] = {
    "trunk": Door(declare.Architecture, ("input_dim", "num_tasks"), parent=Trunk, methods=("mix",)),
    "expert": Door(declare.RegisteredExpert, ("input_dim",), HIDDEN, methods=("forward",)),
    "gate": Door(
        declare.RegisteredGate,
        ("input_dim", "num_gates", "num_experts"),
        ("dims", "activation", "norm", "reach", "columns"),
        parent=Gates,
        methods=("forward",),
    ),
    "interaction": Door(declare.Interaction, ("input_dim",), ("blocks",), methods=("forward",)),
    "pooling": Door(declare.RegisteredPooling, ("dim",), methods=("forward",)),
    "task": Door(declare.Label, ("name", "weight", "within"), ("mean", "std"), parent=Task),
    "metric": Door(declare.RegisteredMetric, methods=("__call__", "greater_is_better")),
    "balance": Door(declare.Balance, given=("num_tasks",), parent=BalanceRule),
    "callback": Door(declare.RegisteredCallback, parent=Reporter),
}


def register(kind: str, place: Place | None = None) -> Callable[[Cls], Cls]:
    """Make a class known under a name, so that it is declared like a kind of our own.

    Every argument of its constructor that has a type, and that is not given by the builder, becomes an option: in
    Python as ``Class.declared(option=...)`` or ``{"kind": ..., "option": ...}``, in recipes and on the command line.
    An artefact holds the name and the options; whoever loads it imports the module that registers the class first.

    - ``trunk``, a :class:`gatewise.nn.Trunk`, is given ``input_dim``, ``num_tasks``, ``activation``, ``dropout``,
      ``norm``
    - ``expert``, a module ``[batch, input_dim] -> [batch, width]``: ``input_dim``, ``activation``, ``dropout``,
      ``norm``
    - ``gate``, a :class:`gatewise.nn.Gates` or a module that gives weights ``[batch, gate, expert]``: ``input_dim``,
      ``num_gates``, ``num_experts``, ``dims``, ``activation``, ``norm``
    - ``interaction``, a module ``[batch, input_dim] -> [batch, width]`` before the trunk: ``input_dim`` and ``blocks``,
      the columns of every feature
    - ``pooling``, a module from :class:`gatewise.nn.Padded` to ``[batch, output_dim]``: ``dim``
    - ``task``, a :class:`gatewise.tasks.Task`: ``name``, ``weight``, ``within``; ``mean``, ``std`` of training labels
    - ``metric``, called with targets and predictions ``[row]``; has ``greater_is_better``
    - ``balance``, a :class:`gatewise.balance.BalanceRule`: ``num_tasks``
    - ``callback``, a :class:`gatewise.training.Reporter`

    What the builder gives is given by name, where the constructor takes it.

    Args:
        kind: the name that declarations call it by.
        place: what it is, where no base class says so: ``expert``, ``gate``, ``interaction``, ``pooling``, ``metric``.

    Returns:
        A decorator that gives the class back, with its declaration as ``declared``.

    Raises:
        DeclarationError: nothing says what it is, or its constructor does not take what the builder gives.

    Example:
        >>> import gatewise as gw
        >>> from torch import nn
        >>> @gw.register("doubling", "expert")
        ... class Doubling(nn.Linear):
        ...     def __init__(self, input_dim: int, *, width: int = 8) -> None:
        ...         super().__init__(input_dim, width)
        >>> gw.MMoE(experts=[{"kind": "doubling", "width": 4, "count": 3}]).experts
        (Doubling(count=3, width=4),)
    """

    def decorate(cls: Cls) -> Cls:
        found = place or _place_of(kind, cls)
        if found not in DOORS:
            raise DeclarationError(f"register {kind!r}: expected one of {shown(DOORS)}, found {found!r}")
        door = DOORS[found]
        for method in door.methods:
            if not hasattr(cls, method):
                raise DeclarationError(f"register {kind!r}: a {found} needs {method!r}, and {cls.__name__} has none")
        missing = getattr(cls, "__abstractmethods__", None)
        if missing:
            raise DeclarationError(f"register {kind!r}: {cls.__name__} has no {shown(sorted(missing))}")
        base = declare.Gate if found == "gate" and issubclass(cls, Gates) else door.base
        given = (*door.required, *door.given)
        cls.declared = declare.register_kind(found, kind, cls, base, given, door.required)  # type: ignore[attr-defined]
        return cls

    return decorate


def _place_of(kind: str, cls: type) -> str:
    """Return the place of a class by what it is a subclass of."""
    for name, door in DOORS.items():
        if door.parent is not None and issubclass(cls, door.parent):
            return name
    raise DeclarationError(
        f"register {kind!r}: nothing says what {cls.__name__} is: give register(kind, place) one of {shown(DOORS)}"
    )
