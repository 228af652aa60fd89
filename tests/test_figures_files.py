"""PNG files that never appear in part, and text that fits them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn import LONG
from PIL import Image

from duograd.runner.plots.images import save_png
from duograd.runner.plots.text import font, legible, wrap
from duograd.runner.store import files

ROOT = Path(__file__).parents[1]


def test_save_png_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    with Image.open(save_png(pixels, tmp_path / "new folder" / "a.png")) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def full_disk(descriptor: int) -> None:  # the file exists by then
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_png(np.zeros((2, 2), np.uint8), target)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"old"


def test_save_png_refuses_floats(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="uint8"):
        save_png(np.zeros((2, 2)), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_pictures_of_arrays_need_no_matplotlib_and_figures_no_pyplot(tmp_path: Path) -> None:
    code = f"""
import sys, numpy as np
from pathlib import Path
from duograd.runner.plots.figure import FIGURES
from duograd.runner.plots.figures import gradient_norm, hidden_weights, loss_curve, windows
from duograd.runner.plots.text import Output
assert [FIGURES.find(name) for name in FIGURES.names()]
hidden_weights.draw_weights(np.eye(4), (2, 2), Output(Path({str(tmp_path / "weights.png")!r}), "weights"))
assert "matplotlib" not in sys.modules
loss_curve.draw_loss({{"train/loss": [2.0, 1.0]}}, Output(Path({str(tmp_path / "loss.png")!r}), "loss"), ())
gradient_norm.draw_norms({{"at the end": [1.0]}}, Output(Path({str(tmp_path / "norm.png")!r}), "norm"))
one = np.ones((1, 2, 1)), ["x"], "g", ["a"], ["b"]
windows.draw_windows(*one, Output(Path({str(tmp_path / "windows.png")!r}), "windows"))
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


def test_wrap_loses_no_letter_and_no_width() -> None:
    face = font(8)
    lines = wrap(f"two words\n{LONG}", 300, face)
    assert lines[0] == "two words"
    assert all(face.getlength(line) <= 300 for line in lines)
    assert "".join(lines).replace(" ", "") == f"two words{LONG}".replace(" ", "")


def test_legible_boxes_what_the_font_lacks() -> None:
    assert legible("λ = 5e-4, 照片") == "λ = 5e-4, □□"
