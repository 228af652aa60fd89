"""Maps of attention: of one place as of many, and what is not shown is said."""

from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, opened

from duograd.runner.plots.figures.attention_maps import draw_attention, left_out
from duograd.runner.plots.text import Output


def maps(blocks: int, heads: int, T: int) -> list[np.ndarray]:
    shares = np.exp(2 * np.random.default_rng(0).standard_normal((blocks, heads, T, T)))
    return list(shares / shares.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize(("blocks", "heads", "T", "steps", "channels"), [(2, 4, 50, 150, 3), (5, 1, 1, 1, 1)])
def test_attention_opens(blocks: int, heads: int, T: int, steps: int, channels: int, tmp_path: Path) -> None:
    names = [f"channel {i}, $no formula" for i in range(channels)]
    window = np.random.default_rng(1).standard_normal((steps, channels))
    out = Output(tmp_path / "a.png", LONG, LONG)
    assert opened(draw_attention(window, names, "walk, recognised", maps(blocks, heads, T), out)).shape[1] > 600


def test_a_map_that_looks_elsewhere_is_another_picture(tmp_path: Path) -> None:
    same, back = np.eye(6)[None], np.eye(6)[None, ::-1]
    pictures = [
        opened(draw_attention(np.zeros((6, 1)), ["x"], "", [p], Output(tmp_path / "a.png", ""))) for p in (same, back)
    ]
    assert (pictures[0] != pictures[1]).any()


def test_heads_and_blocks_that_are_not_shown_are_said() -> None:
    assert left_out(maps(3, 4, 2)) == ""
    assert left_out(maps(4, 6, 2)) == "the first 4 of 6 heads · the first 3 of 4 blocks"
