"""Layers of all four forms, and mistakes to plant in them: what the debugger is measured by."""

from collections.abc import Iterator
from pathlib import Path

from gradient_bugs.bugs import BUGS, Bug

FOLDER = Path(__file__).parent
FILES = ("closures", "pairs", "classes", "losses", "coursework", "modules", "notebook", "costs")


def text_of(layer: str) -> str:
    """The file that a layer stands in."""
    texts = ((FOLDER / f"{name}.py").read_text() for name in FILES)
    return next(text for text in texts if any(_begins(line, layer) for line in text.splitlines()))


def planted(bug: Bug) -> tuple[str, int]:
    """The file with the mistake in it, and the mistake's line."""
    layer, right, wrong, _ = bug
    lines = text_of(layer).splitlines()
    start = next(k for k, line in enumerate(lines) if _begins(line, layer))
    index = next(k for k in [*range(start, len(lines)), *range(start)] if lines[k].strip() == right)  # or in a helper
    indent = lines[index][: len(lines[index]) - len(lines[index].lstrip())]
    lines[index] = indent + wrong
    return "\n".join(lines) + "\n", index + 1


def expected(bug: Bug, line: int) -> Iterator[int]:
    """The lines that may be named: the mistake's, or where a statement is missing, the one before it too."""
    yield line
    if bug[2] == "pass":
        yield line - 1


def _begins(line: str, layer: str) -> bool:
    heads = (f"def {layer}(", f"class {layer}:", f"def {layer}_forward(")
    return line.startswith(heads)


__all__ = ["BUGS", "FILES", "FOLDER", "Bug", "expected", "planted", "text_of"]
