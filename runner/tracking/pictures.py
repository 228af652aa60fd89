"""Frames as MLflow's pages read them: each picture whole, and small for the slider.

What `MlflowClient.log_image` leaves, which codes each PNG a second time and asks the store five times a picture: 20 ms
of processor time, here 5, and two calls for all that are new.
"""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import uuid4

from PIL import Image

from duograd.runner.tracking.reader import modified
from duograd.runner.tracking.remote import RemoteRun

FOLDER = "images"
SMALL = re.compile(r"images/(?P<key>.+)\+step\+(?P<step>\d+)\+timestamp\+.*\+compressed\.webp")
LOGGED = "mlflow.loggedImages"  # the tag by which its pages know that there are some
THUMBNAIL = 256  # pixels, the longer side of the small one
FASTEST = 0  # of WebP's methods: 3 ms for 8, and 5 % more bytes


class Picture(NamedTuple):
    """A frame: the key and the step that it stands under, and its PNG."""

    key: str
    step: int
    path: Path


def logged_pictures(remote: RemoteRun) -> set[tuple[str, int]]:
    """Key and step of those that the store has: the small one is sent last."""
    names = (SMALL.fullmatch(file.path) for file in remote.client.list_artifacts(remote.id, FOLDER))
    return {(name["key"].replace("~", "/"), int(name["step"])) for name in names if name}


def log_pictures(remote: RemoteRun, pictures: Iterable[Picture]) -> set[tuple[str, int]]:
    """Sends those that are whole; their keys and steps."""
    with TemporaryDirectory() as whole, TemporaryDirectory() as small:
        sent = {(p.key, p.step) for p in pictures if _written(p, Path(whole), Path(small))}
        if sent:
            for folder in (whole, small):
                remote.client.log_artifacts(remote.id, folder, FOLDER)
            remote.tag(LOGGED, "True")
    return sent


def _written(picture: Picture, whole: Path, small: Path) -> bool:
    """Writes both, under the name that MLflow takes apart; False where there is no picture yet, or no small one."""
    try:
        png = picture.path.read_bytes()
        with Image.open(io.BytesIO(png)) as image:
            width, height = (side * THUMBNAIL // max(image.size) for side in image.size)
            if not min(width, height):
                return False
            thumbnail = image.resize((width, height))
    except (OSError, SyntaxError):  # Pillow's words for a torn file
        return False
    when = int(modified(picture.path) * 1000)
    name = f"{picture.key.replace('/', '~')}+step+{picture.step}+timestamp+{when}+{uuid4()}"
    (whole / f"{name}.png").write_bytes(png)
    thumbnail.save(small / f"{name}+compressed.webp", method=FASTEST)
    return True
