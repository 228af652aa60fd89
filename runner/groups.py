"""The groups of conf/ and their options, as files: nothing is imported or read for them."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[1] / "conf"
# What nobody chooses for a run: rates follow from task, model and optimizer, studies are what `reproduce` makes.
UNCHOSEN = ("rates", "study")


def groups(*beside: Path) -> dict[str, list[str]]:
    """The groups of conf/, and of folders beside it, that are chosen by hand, and their options."""
    options: dict[str, set[str]] = {}
    for path in (path for root in (CONF, *beside) for path in root.glob("*/*.yaml")):
        options.setdefault(path.parent.name, set()).add(path.stem)
    return {name: sorted(options[name]) for name in sorted(options) if name not in UNCHOSEN}
