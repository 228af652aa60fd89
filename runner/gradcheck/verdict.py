"""A layer's verdict, for programs and as a person sees it: the backward pass line by line, each line with its mark."""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.terminal_theme import TerminalTheme
from rich.text import Text

MARKS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "follows": ("↳", "yellow"), "not checked": ("·", "dim")}
WIDE = 10_000  # columns: a notebook scrolls, lines of code do not wrap
BLACK, RED, GREEN, YELLOW = (0, 0, 0), (193, 18, 31), (26, 127, 55), (154, 103, 0)
ON_WHITE = TerminalTheme((255, 255, 255), BLACK, [BLACK, RED, GREEN, YELLOW, *4 * [BLACK]])


@dataclass(frozen=True)
class OutputCheck:
    """One returned gradient. error: relative, the largest along random directions; 1 for a wrong shape."""

    name: str
    ok: bool
    error: float


@dataclass(frozen=True)
class Finding:
    """The first line that is wrong, while all that it is made of is right."""

    file: str
    line: int
    source: str
    name: str
    verdict: str
    kind: str

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}: {self.source} — {self.verdict}"


@dataclass(frozen=True)
class LayerCheck:
    """What is said of one layer. marks: by line of its backward, right | wrong | follows | not checked.

    lines: the text of the functions that backward went through, by line number.
    """

    name: str
    ok: bool
    outputs: list[OutputCheck]
    findings: list[Finding]
    file: str = ""
    marks: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)

    def assert_right(self) -> None:
        """For tests: raises AssertionError, with the finding, where a gradient is wrong."""
        assert self.ok, "\n".join(map(str, self.findings))

    def __rich__(self) -> Group:
        return Group(*_parts(self))

    def _repr_html_(self) -> str:
        return _html(self)

    def as_dict(self) -> dict[str, Any]:
        """The form of --json: name, ok, outputs, findings, notes."""
        content = asdict(self)
        for key in ("marks", "lines", "file"):
            del content[key]
        return content


def _parts(check: LayerCheck) -> Iterator[Text]:
    """Gradients with their errors, then the code where something is wrong in it."""
    verdict = ("right", "green") if check.ok else ("WRONG", "bold red")
    yield Text.assemble((check.name, "bold"), ": ", verdict)
    for output in check.outputs:
        sign, style = MARKS["right" if output.ok else "wrong"]
        yield Text.assemble(
            "  ", (sign, style), f" d{output.name.removeprefix('self.')}", (f"  {output.error:.1e}", style)
        )
    for note in check.notes:
        yield Text(f"  {note}", "yellow")
    if not check.ok:
        yield Text()
        yield from _code(check)
        yield Text("  ✓ right   ✗ wrong   ↳ follows from a wrong one   · not checked", "dim")


def _code(check: LayerCheck) -> Iterator[Text]:
    width = len(str(max(check.lines, default=0)))
    last = None
    for line, text in check.lines.items():
        if last is not None and line != last + 1:
            yield Text("  ⋯", "dim")
        last = line
        sign, style = MARKS.get(check.marks.get(line, ""), (" ", ""))
        code = (text.expandtabs(4), "" if style == "green" else style)
        yield Text.assemble("  ", (sign, style), f" {line:>{width}}  ", code)
        for finding in check.findings:
            if finding.line == line:
                indent = len(text) - len(text.lstrip())
                yield Text(f"    {'':>{width + indent}}  ^ {finding.verdict}", "bold red")


def _html(check: LayerCheck) -> str:
    """For a notebook: the same as a block of preformatted text, coloured."""
    console = Console(record=True, file=io.StringIO(), width=WIDE, force_terminal=True, color_system="truecolor")
    console.print(check)
    return console.export_html(theme=ON_WHITE, code_format="<pre>{code}</pre>", inline_styles=True)
