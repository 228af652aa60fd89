"""The sources by the kind of their samples, until each family names the kind that it takes."""

from duograd.data.sources.activity_h5 import ActivityH5
from duograd.data.sources.cifar10 import Cifar10
from duograd.data.sources.gait import Gait
from duograd.data.sources.image_folder import ImageFolder
from duograd.data.sources.motionsense import MotionSense
from duograd.data.sources.patches_h5 import PatchesH5
from duograd.data.sources.photos import Photos
from duograd.data.sources.photos_sample import PhotosSample

__all__ = ["Cifar10", "ImageFolder", "MovementConfig", "PatchConfig"]

PatchConfig = PhotosSample | Photos | PatchesH5
MovementConfig = ActivityH5 | MotionSense | Gait
