"""One training step of a transformer: 32 windows of 50 places, 64 features, 4 heads, 2 blocks, float32, Adam.

A step is forward, back-propagation and update. Torch runs its own modules and its own optimizer, eagerly.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu

from benchmarks.measure import CONSOLE, Target, kernel, report, side_by_side
from duograd.data.dataset import Batch
from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.families.transformer.numpy_net import TransformerNet
from duograd.models.families.transformer.weights import sines
from duograd.models.loss import Targets
from duograd.models.losses.cross_entropy import CrossEntropy, CrossEntropyConfig
from duograd.models.optimizers.adam import AdamConfig
from duograd.runner.engines.numpy_engine import NumpyEngine

B, T, INPUTS, D, HEADS, BLOCKS, F, CLASSES, ROUNDS = 32, 50, 9, 64, 4, 2, 256, 6, 30
LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
TARGETS = [Target("by hand", "nn.TransformerEncoder", 1.3)]


def main() -> None:
    """Prints times and the ratio."""
    CONSOLE.print(f"transformer, one step; {kernel()}; torch {torch.get_num_threads()} threads", highlight=False)
    rng = np.random.default_rng(0)
    batch = Batch(rng.standard_normal((B, T, INPUTS)).astype(np.float32), rng.integers(CLASSES, size=B))
    work = {"by hand": numpy_step(batch), "nn.TransformerEncoder": torch_step(batch)}
    report("transformer step", side_by_side(work, ROUNDS), TARGETS)


def numpy_step(batch: Batch) -> Callable[[], object]:
    config = TransformerConfig(
        name="bench",
        family="transformer",
        patch=1,
        hidden_size=D,
        heads=HEADS,
        num_layers=BLOCKS,
        feed_forward=F,
        positions="sines",
        dropout=0.0,
        init="xavier_uniform",
    )
    loss = CrossEntropyConfig(name="cross_entropy", lambda_=0.0, label_smoothing=0.0, class_weights=None)
    optimizer = AdamConfig(
        name="adam",
        rule="adam",
        lr=LR,
        beta1=BETA1,
        beta2=BETA2,
        eps=EPS,
        bias_correction=True,
        weight_decay=0.0,
        clip_value=None,
        clip_norm=None,
    )
    net = TransformerNet(config, CrossEntropy(loss, Targets(CLASSES)), (T, INPUTS), CLASSES, seed=0)
    engine = NumpyEngine(net, optimizer)
    return lambda: engine.step(batch, LR)


def torch_step(batch: Batch) -> Callable[[], object]:
    activation = partial(gelu, approximate="tanh")
    layer = nn.TransformerEncoderLayer(D, HEADS, F, 0.0, activation, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, BLOCKS, nn.LayerNorm(D), enable_nested_tensor=False)
    embedding, classifier = nn.Linear(INPUTS, D), nn.Linear(D, CLASSES)
    params = [*embedding.parameters(), *encoder.parameters(), *classifier.parameters()]
    optimizer = torch.optim.Adam(params, lr=LR, betas=(BETA1, BETA2), eps=EPS)
    positions = torch.from_numpy(sines(T, D, np.float32))
    inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)

    def work() -> None:
        optimizer.zero_grad()
        places = encoder(embedding(inputs) + positions)
        cross_entropy(classifier(places.mean(dim=1)), targets).backward()
        optimizer.step()

    return work


if __name__ == "__main__":
    main()
