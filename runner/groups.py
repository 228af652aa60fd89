"""The groups of conf/ and their options, as files: nothing is imported or read for them."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[1] / "conf"
# What nobody chooses for a run: rates follow from task, model and optimizer, studies are what `reproduce` makes.
UNCHOSEN = ("rates", "study")


def groups() -> dict[str, list[str]]:
    """The groups of conf/ that are chosen by hand, and their options."""
    folders = [path for path in sorted(CONF.iterdir()) if path.is_dir() and path.name not in UNCHOSEN]
    options = {folder.name: sorted(path.stem for path in folder.glob("*.yaml")) for folder in folders}
    return {name: names for name, names in options.items() if names}
