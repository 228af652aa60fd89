"""Runs, sweeps and pictures as a notebook shows them: small HTML, with nothing that a page could not hold."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError, suggestion

SHOWN = 2  # pictures under a run or a sweep; `figures` has all


@dataclass(frozen=True)
class Picture:
    """A PNG file, which a notebook shows."""

    path: Path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()

    def html(self, width: str = "100%") -> str:
        """An <img> that holds the file."""
        content = b64encode(self.path.read_bytes()).decode()
        name = escape(self.path.stem)
        return f'<img alt="{name}" style="max-width:{width};vertical-align:top" src="data:image/png;base64,{content}">'


class Pictures(Mapping[str, Picture]):
    """The pictures of a folder by name: `run.figures["loss_curve"]`."""

    def __init__(self, folder: Path) -> None:
        self._by_name = {path.stem: Picture(path) for path in sorted(folder.glob("*.png"))}

    def __getitem__(self, name: str) -> Picture:
        if name not in self._by_name:
            raise UserError(f"no picture '{name}'{suggestion(name, self._by_name)}")
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Pictures({', '.join(self)})"

    def _repr_html_(self) -> str:
        return "".join(picture.html() for picture in self.values())

    def first(self, *names: str) -> str:
        """HTML of the first few, those of the names before others."""
        order = [*(name for name in names if name in self), *(name for name in self if name not in names)]
        return "".join(self[name].html(f"{100 // SHOWN - 1}%") for name in order[:SHOWN])


def card(title: str, subtitle: str, facts: Mapping[str, Any], pictures: str = "") -> str:
    """A title, a line, names with their values, pictures."""
    rows = "".join(f"<tr>{_cell(name)}{_cell(value)}</tr>" for name, value in facts.items())
    return f"<div><b>{escape(title)}</b> {escape(subtitle)}<table>{rows}</table>{pictures}</div>"


def _cell(value: Any) -> str:
    text = escape(f"{value:.6g}" if isinstance(value, float) else str(value))
    return f'<td style="text-align:left;padding:1px 12px 1px 0">{text}</td>'
