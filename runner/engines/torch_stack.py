"""Engines of several runs that compute as one.

Each run trains in a thread of its own, with its own loop, order and end; what their engines are asked for is computed
when all of them have asked.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from duograd.data.dataset import Batch
from duograd.models import torch_optimizer
from duograd.models.optimizer import FirstOrderConfig
from duograd.models.torch_stack import StackedNet, StackedOptimizer
from duograd.runner.engines import Terms
from duograd.runner.engines.torch_engine import TorchEngine

Array = NDArray[Any]
EVALUATE, STEP = range(2)  # a run that has done as many steps as another evaluates before that other goes on


@dataclass
class Request:
    """What a member asks for. ready: held until it is done."""

    member: "Member"
    kind: int
    batch: Batch
    lr: float = 0.0
    terms: Terms | None = None
    error: BaseException | None = None
    ready: threading.Lock = field(default_factory=threading.Lock)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Requests of one rank are computed together, the lowest first: whoever is behind catches up."""
        targets = None if self.batch.targets is None else self.batch.targets.shape
        return self.member.steps, self.kind, self.batch.inputs.shape, targets or ()


class Stack:
    """Where members meet. Whoever is the last to ask computes for all.

    members: how many runs take part; one that ends, however it does, has to `leave`.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._lock = threading.Lock()
        self._waiting: list[Request] = []
        self._group: Group | None = None

    def leave(self) -> None:
        """One run less is waited for."""
        with self._lock:
            self._members -= 1
            self._go_on()

    def compute(self, request: Request) -> Terms:
        """The request's terms, once those who are behind or beside have asked for theirs as well."""
        request.ready.acquire()
        with self._lock:
            self._waiting.append(request)
            self._go_on()
        with request.ready:  # until it is released
            pass
        if request.error is not None:
            raise request.error
        assert request.terms is not None
        return request.terms

    def _go_on(self) -> None:
        """Computes what can be, where nobody is left to be waited for."""
        if not self._waiting or len(self._waiting) < self._members:
            return
        first = min(request.rank for request in self._waiting)
        together = [request for request in self._waiting if request.rank == first]
        self._waiting = [request for request in self._waiting if request.rank != first]
        try:
            self._compute(sorted(together, key=lambda request: request.member.number))
        except BaseException as error:
            for request in together:
                request.error = error
        for request in together:
            request.ready.release()

    def _compute(self, requests: Sequence[Request]) -> None:
        members = [request.member for request in requests]
        kind, formed = requests[0].kind, self._group is not None and self._group.members == members
        if kind == STEP and len(members) > 1 and not formed:
            self._group, formed = Group(members), True
        if formed and self._group is not None:
            self._group.compute(requests)
        else:  # evaluating is not worth it to form another group
            for request in requests:
                request.terms = request.member.compute_alone(request)


class Group:
    """Members whose steps are one step. They stay what they are: their tensors are parts of the group's."""

    def __init__(self, members: Sequence["Member"]) -> None:
        self.members = list(members)
        self.net = StackedNet([member.net for member in members])
        self.optimizer = StackedOptimizer([cast(FirstOrderConfig, m.config) for m in members], self.net.params)
        states = [torch_optimizer.state_of(cast(Any, m.optimizer), m.named, m.steps) for m in members]
        slots = {key: torch.stack([state[key] for state in states]) for key in states[0] if key != "step"}
        state = {"step": states[0]["step"], **slots}
        torch_optimizer.load_state(self.optimizer.rule, self.optimizer.moves, state)
        self._shared = 0  # slots that members have as parts of the group's
        self._share_slots()

    def compute(self, requests: Sequence[Request]) -> None:
        """Gives each request its terms; after a step, its member has made it."""
        lead = self.members[0]
        inputs, targets, shared = self._tensors([request.batch for request in requests])
        step = lead.steps if requests[0].kind == STEP else None
        with torch.set_grad_enabled(step is not None), lead.autocast():
            terms = self.net.terms(inputs, targets, shared, step)
        if step is not None:
            self._update(terms["loss"], [request.lr for request in requests])
        table = Table({name: value.detach() for name, value in terms.items()})
        for i, request in enumerate(requests):
            request.terms = table.row(i)

    def _update(self, losses: Tensor, rates: Sequence[float]) -> None:
        for w in self.net.params.values():
            w.grad = None
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(rates)
        self._share_slots()
        for member in self.members:
            member.steps += 1
            member.shares_slots = True

    def _share_slots(self) -> None:
        """Once torch's rule has made its slots, which some do at their first step."""
        slots = torch_optimizer.state_of(self.optimizer.rule, self.optimizer.moves, 0)
        if len(slots) == self._shared:
            return
        for key, stacked in slots.items():
            name, _, slot = key.rpartition("/")
            for i, member in enumerate(self.members if name else ()):
                cast(Any, member.optimizer).state[member.named[name]][slot] = stacked[i]
        self._shared = len(slots)

    def _tensors(self, batches: Sequence[Batch]) -> tuple[Tensor, Tensor | None, bool]:
        """Inputs and targets of all, and whether every member has the same, which then are there once."""
        lead, first = self.members[0], batches[0]
        if all(_same_memory(first.inputs, b.inputs) and _same_memory(first.targets, b.targets) for b in batches[1:]):
            return *lead._tensors(first), True
        inputs = torch.as_tensor(np.stack([batch.inputs for batch in batches]), device=lead.device)
        if first.targets is None:
            return inputs, None, False
        targets = np.stack([cast(Array, batch.targets) for batch in batches])
        return inputs, torch.as_tensor(targets, device=lead.device), False


class Member(TorchEngine):
    """The engine of one run of a stack; see `runner.engines.Engine`. Alone it is what any other torch engine is."""

    def __init__(self, stack: Stack, number: int, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stack, self.number = stack, number
        self.shares_slots = False  # with a group, whose rule counts its steps

    def step(self, batch: Batch, lr: float) -> Terms:
        return self._stack.compute(Request(self, STEP, batch, lr))

    def evaluate(self, batch: Batch) -> Terms:
        return self._stack.compute(Request(self, EVALUATE, batch))

    def compute_alone(self, request: Request) -> Terms:
        """The request's terms, without the others."""
        if request.kind == EVALUATE:
            return super().evaluate(request.batch)
        if self.shares_slots:
            assert self.optimizer is not None
            state = torch_optimizer.state_of(self.optimizer, self.named, self.steps)
            torch_optimizer.load_state(self.optimizer, self.named, state)
            self.shares_slots = False
        return super().step(request.batch, request.lr)


class Table:
    """Terms of all members: read at once, when the first of them is asked for."""

    def __init__(self, terms: Mapping[str, Tensor]) -> None:
        self._terms = terms
        self._values: list[list[float]] | None = None

    def row(self, i: int) -> Terms:
        """Those of one member."""
        return {name: _Value(self, j, i) for j, name in enumerate(self._terms)}

    def value(self, j: int, i: int) -> float:
        if self._values is None:
            self._values = torch.stack(list(self._terms.values())).tolist()
        return self._values[j][i]


@dataclass(frozen=True, slots=True)
class _Value:
    table: Table
    term: int
    member: int

    def __float__(self) -> float:
        return self.table.value(self.term, self.member)


def _same_memory(a: Array | None, b: Array | None) -> bool:
    return a is b or (a is not None and b is not None and _place(a) == _place(b))


def _place(a: Array) -> tuple[Any, ...]:
    return a.__array_interface__["data"], a.shape, a.strides, a.dtype
