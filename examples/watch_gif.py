"""python examples/watch_gif.py: the animated picture of the README, a batch norm being mended under `--watch`."""

import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console

from duograd.runner.gradcheck.process import check_file

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "$ duograd gradcheck my_layer.py --watch"
WRONG = '''import numpy as np


def batchnorm(x, gamma, beta):
    """x (N, D), gamma (D,), beta (D,)"""
    mu = x.mean(0)
    xc = x - mu
    var = (xc**2).mean(0)
    std = np.sqrt(var + 1e-5)
    xhat = xc / std

    def backward(dy):
        dgamma = (dy * xhat).sum(0)
        dbeta = dy.sum(0)
        dxhat = dy * gamma
        dvar = -(dxhat * xc).sum(0) / (2 * std)
        dxc = dxhat / std + 2 * xc * dvar / len(x)
        dx = dxc
        return dx, dgamma, dbeta

    return gamma * xhat + beta, backward
'''
# What the student changes, one save after the other.
SAVES = (
    ("", ""),
    ("/ (2 * std)", "/ (2 * std**3)"),
    ("dx = dxc\n", "dx = dxc - dxc.mean(0)\n"),
)
COLOURS = {"green": "#3fb950", "bold red": "#ff7b72", "yellow": "#d29922", "dim": "#8b949e", "bold": "#ffffff"}
PAPER, INK = "#0d1117", "#c9d1d9"
SIZE, LINE, WIDTH, LINES = 15, 21, 900, 22


def frames(folder: Path) -> list[Image.Image]:
    """One picture a save."""
    path, text, pictures = folder / "my_layer.py", WRONG, []
    for old, new in SAVES:
        text = text.replace(old, new) if old else text
        path.write_text(text)
        [check] = check_file(path, None, None)
        pictures.append(picture(check))
    return pictures


def picture(check: object) -> Image.Image:
    """What the terminal shows, drawn letter by letter."""
    import matplotlib

    face = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"
    font = ImageFont.truetype(face, SIZE)
    image = Image.new("RGB", (WIDTH, LINE * LINES), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((16, 12), COMMAND, INK, font)
    console = Console(width=96, force_terminal=True, file=io.StringIO())
    for row, segments in enumerate(console.render_lines(check), start=2):  # type: ignore[arg-type]
        x = 16.0
        for segment in segments:
            style = str(segment.style or "")
            colour = next((c for name, c in COLOURS.items() if name in style), INK)
            draw.text((x, 12 + LINE * row), segment.text.rstrip("\n"), colour, font)
            x += font.getlength(segment.text)
    return image


def main() -> None:
    """Writes docs/figures/gradcheck_watch.gif."""
    with tempfile.TemporaryDirectory() as folder:
        first, *rest = frames(Path(folder))
    out = ROOT / "docs" / "figures" / "gradcheck_watch.gif"
    first.save(out, save_all=True, append_images=rest, duration=[3500] * (1 + len(rest)), loop=0, optimize=True)


if __name__ == "__main__":
    main()
