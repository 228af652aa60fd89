"""Image classifiers: a step by hand against torch's, and torch's challenge through our loop against a bare one.

The bare loop is what a person would write for speed: images preloaded as floats with channels last, nothing measured.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.measure import CONSOLE, Target, kernel, report, side_by_side
from duograd.data.dataset import DataSet, Split
from duograd.runner import build, loop
from duograd.runner.compose import compose
from duograd.runner.config import RunConfig
from duograd.runner.training import Training

IMAGES, ROUNDS, EPOCHS = 6400, 15, 5
LR = 1e-3
MEAN, STD = 0.47, 0.25
STEP = [Target("three_layer_convnet by hand", "three_layer_convnet in torch", 1.75)]
EPOCH = [Target("challenge in our loop", "challenge in a bare loop", 1.1)]


def main() -> None:
    """Prints times and ratios."""
    CONSOLE.print(f"convnet; {kernel()}; torch {torch.get_num_threads()} threads", highlight=False)
    data = pictures(IMAGES)
    step = compose(["task=cnn", "data=shapes"])  # batches of 50, hidden 500, Adam
    work = {STEP[0].of: numpy_step(step, data), STEP[0].to: three_layer_step(step, data)}
    report("a training step, 50 images", side_by_side(work, ROUNDS), STEP)
    epoch = compose(["task=cnn", "data=shapes", "model=challenge", "backend=torch", "epochs=1"])
    work = {EPOCH[0].of: our_epoch(epoch, data), EPOCH[0].to: bare_epoch(data, epoch.batch_size or IMAGES)}
    report(f"an epoch, {IMAGES} images", side_by_side(work, EPOCHS, calls=1), EPOCH)


def pictures(count: int) -> DataSet:
    """Noise in ten classes: what it costs does not depend on what is in the pictures."""
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(count, 3, 32, 32), dtype=np.uint8)
    train = Split(images, rng.integers(10, size=count), normalise=normalise)
    return DataSet("noise", "noise", train, classes=tuple("0123456789"), synthetic=True)


def normalise(images: np.ndarray) -> np.ndarray:
    out = images.astype(np.float32)
    out *= np.float32(1 / (255 * STD))
    out -= np.float32(MEAN / STD)
    return out


def numpy_step(config: RunConfig, data: DataSet) -> Callable[[], object]:
    engine, batch = build.numpy_engine(config, data), data.train.batch(slice(config.batch_size))
    return lambda: engine.step(batch, LR)


def three_layer_step(config: RunConfig, data: DataSet) -> Callable[[], object]:
    """Torch's own modules and optimizer, without any of our code."""
    inputs, targets = map(torch.from_numpy, data.train.batch(slice(config.batch_size)))
    layers = nn.Conv2d(3, 32, 7, padding=3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    net = nn.Sequential(*layers, nn.Linear(32 * 16 * 16, 500), nn.ReLU(), nn.Linear(500, 10))
    optimizer = torch.optim.Adam(net.parameters(), LR)
    weights = [w for name, w in net.named_parameters() if name.endswith("weight")]

    def step() -> None:
        optimizer.zero_grad()
        penalty = torch.stack([(w**2).sum() for w in weights]).sum() * (config.loss.lambda_ / 2)
        (cross_entropy(net(inputs), targets) + penalty).backward()
        optimizer.step()

    return step


def our_epoch(config: RunConfig, data: DataSet) -> Callable[[], object]:
    """An epoch of fit, as a run has it: order, batches of bytes made floats, terms, no hooks."""
    engine = build.engine(config, data)
    return lambda: loop.fit(Training(engine, data, build.plan(config, data)), [])


def bare_epoch(data: DataSet, batch_size: int) -> Callable[[], object]:
    inputs, targets = map(torch.from_numpy, data.train.batch())
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    net = challenge().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), LR)

    def epoch() -> None:
        for index in torch.randperm(len(inputs)).split(batch_size):
            optimizer.zero_grad()
            cross_entropy(net(inputs[index]), targets[index]).backward()
            optimizer.step()

    return epoch


def challenge() -> nn.Sequential:
    sizes = [(3, 16, 5), (16, 32, 3), (32, 64, 3)]
    blocks = [[nn.Conv2d(C, F, K, padding=K // 2), nn.BatchNorm2d(F), nn.ReLU(), nn.MaxPool2d(2)] for C, F, K in sizes]
    return nn.Sequential(*(layer for block in blocks for layer in block), nn.Flatten(), nn.Linear(1024, 10))


if __name__ == "__main__":
    main()
