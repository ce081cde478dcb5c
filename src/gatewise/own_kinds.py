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
    """A place for users' own kinds.

    Attributes:
        base: base class of the declarations of all registered kinds.
        required: arguments of the builder that every constructor must have.
        given: arguments that the builder passes if the constructor has them.
        parent: base class whose subclasses belong here without a named place.
        methods: attributes that a class must have.
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
    """Register a class under a name, so that declarations use the class like a built-in kind.

    Every typed argument of the constructor that the builder does not pass becomes an option: in Python as
    ``Class.declared(option=...)`` or ``{"kind": ..., "option": ...}``, in recipes and on the command line. An artefact
    holds the name and the options; import the module that registers the class before you load the artefact.

    The places, with the type of the class and the builder's arguments, which the builder passes by name:

    - ``trunk``, a :class:`gatewise.nn.Trunk`: ``input_dim``, ``num_tasks``, ``activation``, ``dropout``, ``norm``
    - ``expert``, a module ``[batch, input_dim] -> [batch, width]``: ``input_dim``, ``activation``, ``dropout``,
      ``norm``
    - ``gate``, a :class:`gatewise.nn.Gates` or a module that returns weights ``[batch, gate, expert]``: ``input_dim``,
      ``num_gates``, ``num_experts``, ``dims``, ``activation``, ``norm``
    - ``interaction``, a module ``[batch, input_dim] -> [batch, width]`` before the trunk: ``input_dim`` and ``blocks``,
      the columns of every feature
    - ``pooling``, a module from :class:`gatewise.nn.Padded` to ``[batch, output_dim]``: ``dim``
    - ``task``, a :class:`gatewise.tasks.Task`: ``name``, ``weight``, ``within``; ``mean``, ``std`` of training labels
    - ``metric``, called with targets and predictions ``[row]``; has ``greater_is_better``
    - ``balance``, a :class:`gatewise.balance.BalanceRule`: ``num_tasks``
    - ``callback``, a :class:`gatewise.training.Reporter`

    Args:
        kind: name of the kind in declarations.
        place: one of ``expert``, ``gate``, ``interaction``, ``pooling``, ``metric``; other places follow from the
            base class.

    Returns:
        A decorator that returns the class, with its declaration as ``declared``.

    Raises:
        DeclarationError: the place is not known, or the class lacks a method or a constructor argument.

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
                raise DeclarationError(f"register {kind!r}: {cls.__name__} has no {method!r}; place {found!r} needs it")
        missing = getattr(cls, "__abstractmethods__", None)
        if missing:
            raise DeclarationError(f"register {kind!r}: {cls.__name__} has no {shown(sorted(missing))}")
        base = declare.Gate if found == "gate" and issubclass(cls, Gates) else door.base
        given = (*door.required, *door.given)
        cls.declared = declare.register_kind(found, kind, cls, base, given, door.required)  # type: ignore[attr-defined]
        return cls

    return decorate


def _place_of(kind: str, cls: type) -> str:
    """Return the place of a class, from its base class."""
    for name, door in DOORS.items():
        if door.parent is not None and issubclass(cls, door.parent):
            return name
    raise DeclarationError(
        f"register {kind!r}: nothing says what {cls.__name__} is: give register(kind, place) one of {shown(DOORS)}"
    )
