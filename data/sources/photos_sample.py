"""Patches from the two photographs that scikit-learn ships; `photos` cuts them."""

from duograd.data.config import PhotosSample
from duograd.data.source import Source

SOURCE = Source(config=PhotosSample, inputs="vectors", targets="inputs", offline=True)
