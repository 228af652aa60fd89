"""What may stand under `data:` in a config: one model per source, told apart by `name`.

A new source is one class here, one name in a union below, one branch in `data/load.py` and one YAML in `conf/data/`.
"""

from typing import Annotated

from pydantic import Field

from duograd.data.config.images import Cifar10, ImageConfig, ImageFolder, Images, Shapes
from duograd.data.config.movement import ActivityH5, Gait, MotionSense, Movement, MovementConfig, PeopleApart
from duograd.data.config.patches import CutPatches, PatchConfig, PatchesH5, Photos, PhotosSample
from duograd.data.config.source import Augmentation, Source

DataConfig = Annotated[PatchConfig | MovementConfig | ImageConfig, Field(discriminator="name")]

__all__ = [
    "ActivityH5",
    "Augmentation",
    "Cifar10",
    "CutPatches",
    "DataConfig",
    "Gait",
    "ImageConfig",
    "ImageFolder",
    "Images",
    "MotionSense",
    "Movement",
    "MovementConfig",
    "PatchConfig",
    "PatchesH5",
    "PeopleApart",
    "Photos",
    "PhotosSample",
    "Shapes",
    "Source",
]
