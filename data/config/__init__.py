"""What may stand under `data:` in a config: one model per source, told apart by `name`.

`data/source.py` says how a source is declared; those that still stand here are listed in `data/load.py`.
"""

from duograd.data.config.images import Cifar10, ImageFolder, Images
from duograd.data.config.movement import ActivityH5, Gait, MotionSense, Movement, MovementConfig, PeopleApart
from duograd.data.config.patches import CutPatches, PatchConfig, PatchesH5, Photos, PhotosSample
from duograd.data.source import Augmentation, SourceConfig

__all__ = [
    "ActivityH5",
    "Augmentation",
    "Cifar10",
    "CutPatches",
    "Gait",
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
    "SourceConfig",
]
