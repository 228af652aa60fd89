"""A wrong line put right by trying: small changes of the user's statements, one at a time, until gradients are true.

People's mistakes are small: another name, another axis, `=` for `+=`, a factor too many. A change after which wrong
gradients become right, and none that was right wrong, says where the mistake is, and what should stand there.
"""

import ast
import copy
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from duograd.runner.gradcheck.additions import additions, compositions
from duograd.runner.gradcheck.changes import replacements
from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.layer import Layer
from duograd.runner.gradcheck.source import Source, Statement

LONGEST = 24  # letters of an expression that is tried in the place of another
REPLACING, ADDING, COMPOSING = 0, 1, 2  # what is likelier comes first, at every line


@dataclass
class Budget:
    """How many changes may still be tried: a count, so that a busy machine finds what an idle one finds."""

    changes: int
    latest: float  # by time.process_time; for layers whose passes take long

    def spend(self) -> bool:
        """Takes one; whether there was one."""
        self.changes -= 1
        return self.changes >= 0 and time.process_time() < self.latest


@dataclass(frozen=True)
class Repair:
    """A change of one statement that mends gradients. mended: which; text: how it would read."""

    line: int
    kind: str
    text: str
    mended: tuple[str, ...]
    said: str = ""


def repairs(judgement: Judgement, lines: Sequence[int], budget: Budget) -> Iterator[Repair]:
    """Changes that mend gradients, line by line, as long as the budget lasts."""
    names = _names(judgement)
    for stage in (REPLACING, ADDING, COMPOSING):
        ordered = lines if stage == REPLACING else sorted(lines, key=partial(_unlikely, judgement))
        for line in ordered:
            statement = judgement.layer.source.statement(line)
            if statement is not None:
                yield from _of_statement(judgement, statement, names, stage, budget)


def _unlikely(judgement: Judgement, line: int) -> bool:
    """Whether nothing can be missing at a line: it makes the zeros that a sum begins with, or a mask."""
    zeros = re.search(r"=\s*(np|numpy)\.(zeros|empty)", judgement.layer.source.text_of(line))
    return zeros is not None or all(v.line != line for v in judgement.versions)


def _names(judgement: Judgement) -> list[str]:
    """Variables that may have been meant, or that hold what was."""
    held = [str(v.access[0]) for v in judgement.versions]
    masks = [name for s in judgement.layer.source.statements.values() for name in sorted(s.writes)]
    return [
        name for name in dict.fromkeys([*held, *judgement.numbers, *masks]) if name.isidentifier() and name != "self"
    ]


def _of_statement(
    judgement: Judgement, statement: Statement, names: list[str], stage: int, budget: Budget
) -> Iterator[Repair]:
    source = judgement.layer.source
    top = next((n for n in source.tree.body if n.lineno <= statement.line <= (n.end_lineno or n.lineno)), None)
    if not isinstance(top, ast.FunctionDef | ast.ClassDef):
        return
    variant = copy.deepcopy(top)
    node = next((n for n in ast.walk(variant) if isinstance(n, ast.stmt) and _same(n, statement.node)), None)
    if node is None:
        return
    local = _local_names(source, top, statement, names)
    if stage == REPLACING:
        changes = replacements(variant, node, local, _alike(judgement))
    else:
        changes = (additions if stage == ADDING else compositions)(node, local)
    for edit in changes:
        if not budget.spend():
            return
        try:
            edit.make()
            mended = _mended(judgement, variant)
            text = _text(edit.whole or node) if mended else ""
        finally:
            edit.undo()
        if mended:
            yield Repair(statement.line, edit.kind, text, mended, edit.said)


def _same(a: ast.stmt, b: ast.stmt) -> bool:
    return type(a) is type(b) and (a.lineno, a.col_offset) == (b.lineno, b.col_offset)


def _text(node: ast.stmt) -> str:
    ast.fix_missing_locations(node)
    return ast.unparse(node).splitlines()[0]


def _local_names(source: Source, top: ast.stmt, statement: Statement, names: list[str]) -> list[str]:
    """What stands in the function of a statement, or as self.X in its class: names, attributes and items.

    Those of the statement come first, then the innermost function's.
    """
    functions = source.around(statement.line, ast.FunctionDef)
    own = dict.fromkeys(word for function in reversed(functions) for n in ast.walk(function) if (word := _word(n)))
    if isinstance(top, ast.ClassDef):
        own |= dict.fromkeys(word for n in ast.walk(top) if (word := _word(n)).startswith("self."))
    near = [word for n in ast.walk(statement.node) if (word := _word(n)) in own]
    return [name for name in dict.fromkeys([*near, *own]) if re.split(r"[.\[]", name)[0] in ("self", *names)]


def _alike(judgement: Judgement) -> Callable[[str, str], bool]:
    """Whether a name may stand in another's place: not where their values' shapes are known and never the same."""
    shapes: dict[str, set[tuple[int, ...]]] = {name: {()} for name in judgement.numbers}
    for version in judgement.versions:
        shapes.setdefault(version.name, set()).add(version.value.shape)

    def alike(one: str, other: str) -> bool:
        return one not in shapes or other not in shapes or not shapes[one].isdisjoint(shapes[other])

    return alike


def _word(node: ast.AST) -> str:
    """A variable, an attribute or an item as the code has it; of those that are no plain names, what is short."""
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.Name):
        return "" if node.id == "self" else node.id
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load) and _rooted(node):
        text = ast.unparse(node)
        return text if len(text) <= LONGEST else ""
    return ""


def _rooted(node: ast.AST) -> bool:
    """Whether a name stands at its root, and no method or constant of arrays at its end: self.W, hs[t], not x.T."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size", "ndim", "dtype"):
        return False
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and hasattr(np.ndarray, node.attr):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _mended(judgement: Judgement, variant: ast.stmt) -> tuple[str, ...]:
    """The gradients that were wrong and are right with a changed definition; none where it breaks anything."""
    layer = judgement.layer
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            changed = _with(layer, variant)
            run = changed.start()
            if layer.form == "loss" and not np.allclose(run.y[0], judgement.y[0], rtol=1e-12, atol=0):
                return ()
            changed.finish(run, judgement.truth.dy)
            gradients = changed.gradients(run)
            return _gained(judgement, gradients)
    except Exception:
        return ()
    finally:
        space, name = layer.module.__dict__, _name(variant)
        if name in judgement.originals:
            space[name] = judgement.originals[name]
        else:
            space.pop(name, None)


def _gained(judgement: Judgement, gradients: dict[str, Any]) -> tuple[str, ...]:
    gained = []
    for output in judgement.outputs:
        value = gradients.get(output.name)
        if value is None:
            return ()
        array = np.asarray(value, dtype=np.float64)
        if output.ok:
            if array.shape != output.value.shape or not np.allclose(array, output.value, rtol=1e-9, atol=1e-12):
                return ()
        elif judgement.truth.agrees(array, output.name) < judgement.truth.tolerance:
            gained.append(output.name)
    return tuple(gained)


def _name(variant: ast.stmt) -> str:
    assert isinstance(variant, ast.FunctionDef | ast.ClassDef)
    return variant.name


def _with(layer: Layer, variant: ast.stmt) -> Layer:
    """The layer with one definition of its file replaced."""
    ast.fix_missing_locations(variant)
    code = compile(ast.Module([variant], []), str(layer.source.path), "exec")
    name, space = _name(variant), layer.module.__dict__
    exec(code, space)
    new = space[name]
    forward = new if layer.forward is not None and getattr(layer.forward, "__name__", "") == name else layer.forward
    backward = new if layer.backward is not None and getattr(layer.backward, "__name__", "") == name else layer.backward
    instance = layer.instance
    if instance is not None and type(instance).__name__ == name:
        instance = copy.copy(instance)
        instance.__class__ = new
    return replace(layer, forward=forward, backward=backward, instance=instance)
