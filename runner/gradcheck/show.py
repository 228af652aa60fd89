"""A layer's verdict as a person sees it: the backward pass line by line, each line with its mark."""

from collections.abc import Iterator
from html import escape

from rich.console import Group
from rich.text import Text

from duograd.runner.gradcheck.findings import LayerCheck

MARKS = {"right": ("✓", "green"), "wrong": ("✗", "bold red"), "follows": ("↳", "yellow"), "not checked": ("·", "dim")}


def rich_check(check: LayerCheck) -> Group:
    """For the terminal: gradients with their errors, then the code where something is wrong in it."""
    return Group(*_parts(check))


def _parts(check: LayerCheck) -> Iterator[Text]:
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


def html_check(check: LayerCheck) -> str:
    """For a notebook: the same as a block of preformatted text, coloured."""
    colours = {"green": "#1a7f37", "bold red": "#c1121f", "yellow": "#9a6700", "dim": "#6e7781"}
    lines = []
    for part in _parts(check):
        text, spans = part.plain, sorted(part.spans, key=lambda span: span.start)
        pieces, at = [], 0
        for span in spans:
            pieces.append(escape(text[at : span.start]))
            colour = colours.get(str(span.style), "inherit")
            pieces.append(f'<span style="color:{colour}">{escape(text[span.start : span.end])}</span>')
            at = span.end
        pieces.append(escape(text[at:]))
        whole = "".join(pieces)
        whole_colour = colours.get(str(part.style))
        lines.append(f'<span style="color:{whole_colour}">{whole}</span>' if whole_colour else whole)
    return "<pre>" + "\n".join(lines) + "</pre>"
