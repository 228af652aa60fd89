"""What a classifier of images saw, learned, answers and gets wrong.

Legend: N samples, C channels, H height, W width, K classes; images as they are kept are uint8 (N, C, H, W).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.runner.classification import targets
from duograd.runner.engines import Engine
from duograd.runner.pictures.finished import Facts, Finished

Array = NDArray[Any]
SAMPLES = 10  # of each class
CONVOLUTION = "conv0.weight"
DENSE = ("dense0.weight", "classifier.weight")  # the first layer of a network without convolutions


def samples(run: Finished) -> Facts:
    """Some images of each class, as they came."""
    from duograd.runner.figures.samples import samples as draw

    train, rng = run.data.train, np.random.default_rng(run.seed)
    order = rng.permutation(len(train))
    of_class = {c: order[targets(train)[order] == k][:SAMPLES] for k, c in enumerate(run.data.classes)}
    by_class = {name: pictures(train.inputs[np.sort(index)]) for name, index in of_class.items()}
    draw(by_class, run.path("samples"), "Images by class", f"{len(train)} images to train on", run.footer)
    return {}


def filters(run: Finished) -> Facts:
    """What the first layer looks for."""
    from duograd.runner.figures.filters import filters as draw

    weight, what = _first_layer(run.data, run.engine)
    draw(weight, what, run.path("filters"), f"First layer: {run.title}", run.footer)
    return {}


def filters_frame(data: DataSet, engine: Engine) -> NDArray[np.uint8]:
    """The same as bare pixels, cheap enough to be made while training."""
    from duograd.runner.figures.filters import filter_frame

    return filter_frame(_first_layer(data, engine)[0])


def activation_maps(run: Finished) -> Facts:
    """One image on its way through the convolutions; nothing for a network without any."""
    from duograd.runner.figures.activation_maps import activation_maps as draw

    split = run.data.splits[run.data.held_out]
    batch = split.batch(slice(1))
    maps = {name: a[0] for name, a in run.engine.probe(batch).items()}
    if not maps:
        return {}
    classes = run.data.classes
    true, said = classes[targets(split)[0]], classes[int(run.engine.predict(batch.inputs)[0].argmax())]
    label = f"{true}, recognised" if true == said else f"{true}, taken for {said}"
    [image] = pictures(split.inputs[:1])
    draw(image, label, maps, run.path("activation_maps"), f"Activation maps: {run.title}", run.footer)
    return {}


def mistakes(run: Finished) -> Facts:
    """The images of which the network is most sure, and wrong."""
    from duograd.runner.figures.mistakes import MOST
    from duograd.runner.figures.mistakes import mistakes as draw

    name = run.data.held_out
    split = run.data.splits[name]
    true, scores = targets(split), run.outputs(name)
    said = scores.argmax(axis=1)
    probable = f"{name}/cross_entropy" in run.metrics
    sure = probabilities(scores, said) if probable else margins(scores, true, said)
    wrong = np.flatnonzero(said != true)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST]
    classes, form = run.data.classes, _percent if probable else "{:+.3g}".format
    labels = [f"{classes[true[i]]} → {classes[said[i]]} {form(float(sure[i]))}" for i in worst]
    measure = (
        "percent: the probability given to what was said"
        if probable
        else ("number: how far the score of what was said is above that of what it is")
    )
    title = f"Surest mistakes on {name}: {run.title}"
    path = run.path("mistakes")
    draw(pictures(split.inputs[worst]), labels, (len(wrong), len(split)), measure, path, title, run.footer)
    return {}


def pictures(inputs: Array) -> NDArray[np.float64]:
    """Images as they are kept, uint8 (N, C, H, W) -> (N, H, W, 3) in [0, 1], or (N, H, W) where C is 1."""
    images: NDArray[np.float64] = inputs.transpose(0, 2, 3, 1) / 255.0
    return images[..., 0] if images.shape[-1] == 1 else images


def probabilities(scores: Array, said: Array) -> NDArray[np.float64]:
    """softmax(scores)[said]: scores (N, K), said (N,) -> (N,). In float64, where the surest still differ."""
    z = scores.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    p: NDArray[np.float64] = np.exp(z[np.arange(len(z)), said]) / np.exp(z).sum(axis=1)
    return p


def margins(scores: Array, true: Array, said: Array) -> NDArray[np.float64]:
    """How far the score of what was said is above that of the true class: scores (N, K) -> (N,)."""
    rows = np.arange(len(scores))
    margin: NDArray[np.float64] = scores[rows, said].astype(np.float64) - scores[rows, true]
    return margin


def _first_layer(data: DataSet, engine: Engine) -> tuple[Array, str]:
    """The first layer's weights as images (F, C, KH, KW), and what they are; a dense layer's are folded back."""
    params = engine.params()
    if CONVOLUTION in params:
        return params[CONVOLUTION], "filters"
    weight = next(params[name] for name in DENSE if name in params)
    return weight.reshape(-1, *data.train.inputs.shape[1:]), "units"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
