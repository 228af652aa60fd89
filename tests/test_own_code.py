"""Networks, losses, optimizers and data of a user's own, by their file."""

import json

import numpy as np
import pytest
from own_builders import ALWAYS, CHAIN, EXAMPLES, GAIT, train, write

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.commands.gradcheck import errors
from duograd.runner.compose import compose, compose_tree
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.own import modules
from duograd.runner.own.faults import OwnCodeError
from duograd.runner.own.modules import standing_in
from duograd.runner.run import resume, run
from duograd.runner.store.code import restore
from duograd.runner.store.files import DamagedError
from duograd.runner.store.folders import RunFolder
from duograd.runner.sweep.naming import config_hash
from duograd.runner.validate import validate_plain


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(*overrides: str) -> str:
    with pytest.raises(UserError) as refusal:
        compose([*GAIT, *ALWAYS, *overrides])
    return str(refusal.value)


def test_a_signature_gives_keys_with_types_and_defaults(tmp_path):
    text = "from typing import Annotated, Literal\nfrom pydantic import Field\n" + CHAIN.replace(
        "width: int = 8", "width: Annotated[int, Field(ge=1)] = 8, kind: Literal['a', 'b'] = 'a', rates=(0.1, 1)"
    )
    write(tmp_path, "my_net.py", text)
    tree = compose_tree([*GAIT, "model=my_net.py", "model.width=5"]).model
    assert (tree.width, tree.kind, list(tree.rates), tree.init) == (5, "a", [0.1, 1], "torch")
    assert refused("model=my_net.py", "model.width=0").startswith("model.width=0: expected greater than or equal to 1")
    assert refused("model=my_net.py", "model.kind=c") == "model.kind=c: expected 'a' or 'b'"
    assert "did you mean 'model.width'?" in refused("model=my_net.py", "model.widht=3")
    assert refused("model=my_net.py", "model.width=wide") == "model.width=wide: expected a whole number"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("model=gone.py", "gone.py does not exist: name a file of Python"),
        ("model=my_net.py:nett", "my_net.py:nett has no 'nett': did you mean 'net'? known: net"),
        ("loss=my_net.py", "my_net.py defines no loss: write a function of (outputs, targets, …)"),
        ("model=two.py", "two.py defines 2 of a kind, net, other: say which, two.py:net"),
        ("model=broken.py", "broken.py, line 1: "),
        ("model=clash.py", "net(torch=…): torch is a key of duograd's own"),
    ],
)
def test_what_is_no_code_of_the_kind_is_one_line(tmp_path, typed, reason):
    write(tmp_path, "my_net.py", CHAIN)
    write(tmp_path, "two.py", CHAIN + CHAIN.replace("def net", "def other"))
    write(tmp_path, "clash.py", CHAIN.replace("width: int", "torch: int = 1, width: int"))
    write(tmp_path, "broken.py", "def net(:\n")
    assert reason in refused(typed)


def test_a_yaml_of_the_users_names_a_file_and_changes_its_defaults(tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    write(tmp_path / "conf", "my_net.py", CHAIN)
    write(tmp_path / "conf" / "model", "small.yaml", "{file: my_net.py, width: 3}")
    tree = compose_tree([*GAIT, f"hydra.searchpath=[file://{tmp_path}/conf]", "model=small"]).model
    assert (tree.name, tree.width, tree.file) == ("small", 3, str(tmp_path / "conf" / "my_net.py"))


def test_an_installed_package_brings_a_network_without_a_yaml(tmp_path, monkeypatch, installed):
    write(tmp_path, "theirs.py", CHAIN)
    monkeypatch.syspath_prepend(tmp_path)
    import hydra_plugins.duograd_own as door

    installed("duograd.families", plain="theirs:net")
    monkeypatch.setattr(door, "installed_names", lambda group: ["plain"] if group == "duograd.families" else [])
    tree = compose_tree([*GAIT, "model=plain", "model.width=4"]).model
    assert (tree.family, tree.width) == ("plain", 4)
    assert train(tmp_path / "run", "model=plain", "model.width=4")["model"] == "plain"


def test_rates_are_the_files_else_the_optimizers_own_and_that_is_said(tmp_path):
    write(tmp_path, "rated.py", CHAIN + "RATES = {'adam': 0.02}\n")
    assert compose([*GAIT, "model=rated.py", "optimizer=adam"]).optimizer.lr == 0.02
    train(tmp_path / "run", "model=rated.py", "optimizer=nesterov")
    said = RunFolder(tmp_path / "run").read_identity()["code_notes"]
    assert said == ["optimizer.lr=0.1 is nesterov's own: no table of rates has rated with nesterov in task=activity"]
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "rated.py", CHAIN + "RATES = {'adam': 0.02}\n")
    assert compose([*GAIT, "model=deep/rated.py", "optimizer=adam"]).optimizer.lr == 0.02
    lion = compose([*GAIT, "model=gru", f"optimizer={EXAMPLES}/optimizer.py"]).optimizer
    assert (lion.lr, lion.clip_value) == (3e-4, 0.46875), "its own rate, with what the table says of every column"


def test_a_chain_has_its_parameters_drawn_by_scheme_and_is_its_sequential_twin(tmp_path):
    write(tmp_path, "my_net.py", CHAIN)
    net = build.numpy_engine(config := compose([*GAIT, "model=my_net.py", "model.init=xavier_uniform"]), _data(config))
    weight = net.params()["1.weight"]
    assert np.abs(weight).max() <= np.sqrt(6 / sum(weight.shape)) < np.abs(weight).max() * 1.2
    assert not net.params()["3.bias"].any()


def _data(config):
    return build.data_set(config)


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (
            "lambda x, W, b: affine(x, W, b, needs_dx=False)",
            "its backward gives no dx, which layer 2 needs",
        ),
        (
            "lambda x, W, b: (x @ W.T, lambda dy: dy @ W)",
            "its backward gives no gradient of weight, bias",
        ),
    ],
)
def test_what_a_backward_leaves_out_is_named(layer, line, tmp_path):
    write(tmp_path, "my_net.py", CHAIN.replace("Layer(affine, weight=(outputs", f"Layer({layer}, weight=(outputs"))
    with pytest.raises(UserError) as caught:
        train(tmp_path / "run", "model=my_net.py")
    assert f"layer 3, <lambda>: {line}" in str(caught.value)


CNN = """
from functools import partial

import duograd
from duograd.models.chain import flatten
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, relu


def net(shape, outputs, filters: int = 2):
    C, H, W = shape
    return duograd.Chain([
        duograd.Layer(partial(conv2d, padding=1), weight=(filters, C, 3, 3), bias=(filters,)),
        relu,
        flatten,
        duograd.Layer(affine, weight=(outputs, filters * H * W), bias=(outputs,)),
    ])


def torch_sequential(shape, outputs, filters):
    from torch import nn

    C, H, W = shape
    conv, linear = nn.Conv2d(C, filters, 3, padding=1), nn.Linear(filters * H * W, outputs)
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), linear)
"""


def test_layers_of_ours_with_options_make_a_chain_for_images_and_model_torch_names_its_twin(tmp_path):
    write(tmp_path, "cnn.py", CNN)
    small = ["task=cnn", "data=shapes", "data.count=40", "data.test_count=20", "data.size=8"]
    numerical, autograd = errors([*small, "model=cnn.py", "model.torch=torch_sequential"])
    assert max(numerical.values()) < 1e-6
    assert max(autograd.values()) < 1e-9  # float64, the same arithmetic


@pytest.mark.parametrize(
    "typed",
    [
        ["model={}/net.py"],
        ["model=gru", "model.hidden_size=4", "loss={}/loss.py"],
        ["model={}/protocol.py"],
    ],
    ids=["net", "loss", "protocol"],
)
def test_gradients_of_the_examples_are_right(typed):
    numerical, autograd = errors([*GAIT, *(text.format(EXAMPLES) for text in typed)])
    assert max(numerical.values()) < 1e-6
    assert bool(autograd) == ("protocol" not in typed[0])
    assert max(autograd.values(), default=0) < 1e-9  # float64, the same arithmetic


def test_twins_take_the_same_steps(tmp_path):
    typed = [f"model={EXAMPLES}/net.py", f"loss={EXAMPLES}/loss.py", f"optimizer={EXAMPLES}/optimizer.py"]
    for name in ("numpy", "torch"):
        train(tmp_path / name, *typed, "dtype=float64", f"backend={name}", "check_gradient=false")
    losses = [RunFolder(tmp_path / name).history()["train/loss"] for name in ("numpy", "torch")]
    np.testing.assert_allclose(*losses, rtol=1e-9)  # float64: sums in another order


def test_a_module_alone_trains_in_torch_alone(tmp_path):
    model = f"model={EXAMPLES}/module.py"
    train(tmp_path / "a", model, "backend=torch")
    train(tmp_path / "b", model, "backend=torch")
    digests = [(tmp_path / name / "best.safetensors").read_bytes() for name in "ab"]
    assert digests[0] == digests[1], "what is random in it follows from seed and step"
    assert fault(tmp_path, model) == "module.py has no network by hand, only one in torch: use backend=torch"


def fault(folder, *overrides: str) -> str:
    """Why a run is refused, before it has a folder."""
    with pytest.raises(UserError) as refusal:
        train(folder / "refused", *overrides)
    assert not (folder / "refused" / "config.yaml").exists()
    return str(refusal.value)


def test_what_has_no_twin_says_what_is_missing(tmp_path):
    write(tmp_path, "my_net.py", CHAIN)
    write(
        tmp_path, "my_loss.py", "def l(outputs, targets):\n    return (outputs**2).mean(), 2 * outputs / outputs.size\n"
    )
    torch = "backend=torch"
    assert "my_net.py has no torch twin: write torch_twin(…)" in fault(tmp_path, "model=my_net.py", torch)
    assert "my_loss.py has no torch twin: write torch_l(outputs, targets, …)" in fault(
        tmp_path, "loss=my_loss.py", torch
    )


def test_shapes_that_do_not_fit_are_said_with_both(tmp_path):
    write(tmp_path, "a.py", CHAIN.replace("weight=(width, inputs)", "weight=(width, 5)"))
    write(tmp_path, "b.py", CHAIN.replace("weight=(outputs, width), bias=(outputs,)", "weight=(7, width), bias=(7,)"))
    write(tmp_path, "c.py", "def l(outputs, targets):\n    return 0.0, outputs[:, :2]\n")
    assert "layer 1, affine, cannot take x (4, 27), weight (8, 5), bias (8,)" in fault(tmp_path, "model=a.py")
    assert "outputs of shape (4, 7) for inputs of shape (4, 9, 3): expected (4, 6)" in fault(tmp_path, "model=b.py")
    assert "the gradient has shape (4, 2), the outputs (4, 6)" in fault(tmp_path, "loss=c.py")


NET = """
import numpy as np


class Net:
    def __init__(self, shape, outputs):
        self.params = {"w": np.zeros((outputs, shape[-1]))}

    def predict(self, x):
        return x.mean(axis=1) @ self.params["w"].T

    def loss_and_grad(self, x, y):
        return 0.0, {"w": self.params["w"]}
"""


@pytest.mark.parametrize(
    ("typed", "before", "after", "reason"),
    [
        ("model", "np.zeros((outputs, shape[-1]))", "[0]", "parameter w is a list: give an array of floats"),
        ("model", '{"w": np.zeros((outputs, shape[-1]))}', "[]", "Net.params is a list: give a dict of arrays"),
        ("model", "return 0.0, ", "return np.ones(3), ", "its term 'loss' is an array of float64, (3,): give a number"),
        ("model", "return 0.0, ", "return None, ", "its term 'loss' is a NoneType: give a number"),
        ("model", "return 0.0, ", "return ", "loss_and_grad returns a dict: give (loss, gradients by name)"),
        ("model", '{"w": self.params', '{"v": self.params', "gives other gradients than there are parameters: v, w"),
        ("model", "def predict(self, x)", "def predict(self)", "Net.predict(inputs) is called: too many positional"),
        ("model", "def predict", "def say", "Net has no predict: give a duograd.Chain, or an object with params"),
        ("model", "class Net:", "def net(shape, outputs):\n    return 3\n\n\nclass _Net:", "int has no params"),
        ("loss", "class Net:", "def l(outputs, targets):\n    return 3\n\n\nclass Net:", "returns int: give (value,"),
        ("loss", "class Net:", "def l(outputs, targets):\n    return None, 3\n\n\nclass Net:", "(NoneType, int): give"),
        ("optimizer", "def predict", "def update", "update(self, w, g, slots, lr, t) is called: too many positional"),
    ],
)
def test_what_does_not_keep_the_protocol_is_one_line(tmp_path, typed, before, after, reason):
    assert before in NET
    write(tmp_path, "odd.py", NET.replace(before, after))
    assert reason in fault(tmp_path, f"{typed}=odd.py")


def test_a_wrong_gradient_is_warned_of_and_a_right_one_is_not(tmp_path):
    (here := tmp_path / "my nets").mkdir()
    write(here, "wrong.py", (EXAMPLES / "net.py").read_text().replace("(dy * x * s).sum", "(dy * x * s).mean"))
    train(tmp_path / "wrong", "model=my nets/wrong.py")
    train(tmp_path / "off", "model=my nets/wrong.py", "check_gradient=false")
    train(tmp_path / "right", f"model={EXAMPLES}/net.py")
    wrong, off, right = (
        RunFolder(tmp_path / name).read_identity().get("code_notes", []) for name in ("wrong", "off", "right")
    )
    assert (off, right) == ([], [])
    assert wrong[0].startswith("the gradient of wrong is off by")
    command = f"run duograd gradcheck task=activity \"model='{here}/wrong.py'\" loss="  # pasted, it works
    assert f"(checked 3 directions): {command}" in wrong[0]


LATE = """
calls = []


def late(x):
    calls.append(x)
    return x, (lambda dy: dy) if len(calls) < 20 else dy
"""


def test_code_that_raises_in_training_fails_the_run_and_leaves_its_folder_whole(tmp_path, capsys):
    write(tmp_path, "my_net.py", CHAIN.replace("relu,\n        duo", "late,\n        duo") + LATE)
    typed = [*GAIT, *ALWAYS, "model=my_net.py", "epochs=90", "check_gradient=false"]
    assert run(compose(typed), RunFolder(tmp_path / "run"), typed) == 1
    summary = RunFolder(tmp_path / "run").read_summary()
    assert summary["status"] == "FAILED"
    assert "in late, called by duograd's ChainNet._call: NameError: name 'dy' is not defined" in summary["error"]
    traceback = capsys.readouterr().err
    assert traceback.count("File ") == 1
    assert "return x, (lambda dy: dy)" in traceback


def test_code_that_raises_before_training_is_refused_with_its_traceback(tmp_path):
    write(tmp_path, "my_net.py", CHAIN.replace("inputs = int(", "inputs = int(1 / 0 + "))
    write(tmp_path, "ends.py", "raise SystemExit(3)\n")
    with pytest.raises(
        OwnCodeError, match=r"my_net.py, line 9, in net, called by duograd's \S+: ZeroDivisionError"
    ) as e:
        train(tmp_path / "run", "model=my_net.py")
    assert "inputs = int(1 / 0" in e.value.traceback
    assert "ends.py, line 1, while it was imported: SystemExit: 3" in refused("model=ends.py")


def test_the_folder_keeps_the_code_and_resume_takes_the_copy_if_it_is_the_users_or_trusted(tmp_path, monkeypatch):
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 2 * n\n")
    path = write(tmp_path, "my_net.py", CHAIN.replace("width: int = 8):", "width: int = 8):\n    width = twice(width)"))
    path.write_text("from my_layers import twice\n" + path.read_text())
    train(folder := tmp_path / "run", "model=my_net.py")
    restore(folder, trust=False)  # this process has imported it
    monkeypatch.setattr(modules, "_modules", {})  # as another has not
    config = RunFolder(folder).read_config()
    code = folder / "code" / config["model"]["hash"]
    assert {p.name for p in code.iterdir()} == {"my_net.py", "my_layers.py"}
    restore(folder, trust=False)
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 3 * n\n")  # a neighbour counts
    monkeypatch.setattr(modules, "_modules", {})
    with pytest.raises(UserError, match=r"is gone or differs from its copy .* --trust"):
        restore(folder, trust=False)
    (folder / "summary.json").unlink()
    restore(folder, trust=True)
    config["epochs"] = 3
    assert resume(validate_plain(config), RunFolder(folder), alone()) == 0
    assert len(RunFolder(folder).history()["epoch"]) == 3
    (code / "my_net.py").write_text("raise SystemExit\n")
    with pytest.raises(UserError, match="is not the code that the run began with"):
        restore(folder, trust=True)


def test_the_original_is_not_believed_where_a_folder_from_elsewhere_could_have_put_it(tmp_path, monkeypatch):
    write(tmp_path, "my_net.py", CHAIN)
    train(folder := tmp_path / "run", "model=my_net.py")
    restore(folder, trust=False)  # this process has imported it
    monkeypatch.setattr(modules, "_modules", {})  # as another has not
    origins = json.loads((folder / "code" / "origins.json").read_text())
    [entry] = origins.values()
    for place in (folder / "code" / next(iter(origins)) / "my_net.py", "/proc/self/cwd/my_net.py"):
        entry["file"] = str(place)
        (folder / "code" / "origins.json").write_text(json.dumps(origins))
        with pytest.raises(UserError, match="--trust"):
            restore(folder, trust=False)


def test_nothing_lies_beside_a_copy_that_python_would_import_in_its_place(tmp_path):
    write(tmp_path, "my_layers.py", "WIDTH = 8\n")
    write(tmp_path, "my_net.py", "import my_layers\n" + CHAIN)
    train(tmp_path / "run", f"model={tmp_path}/my_net.py")
    [copy] = (tmp_path / "run" / "code").glob("*/")
    write(copy, "dateutil.py", "")
    for trust in (False, True):
        with pytest.raises(DamagedError, match=r"dateutil\.py is not of the code that the run began with"):
            restore(tmp_path / "run", trust)


def test_what_a_folder_names_without_a_copy_is_imported_once_it_is_trusted(tmp_path):
    path = write(tmp_path, "my_net.py", f"{CHAIN}\nRATES = {{}}\n")
    with standing_in({}, trust=False), pytest.raises(UserError, match=r"has no copy in the folder .* add --trust"):
        compose([*GAIT, f"model={path}"])
    with standing_in({}, trust=True):
        assert compose([*GAIT, f"model={path}"]).model.name == "my_net"


def test_a_job_is_another_when_its_code_is_and_the_same_wherever_that_lies(tmp_path):
    def digest(name: str) -> str:
        return config_hash(compose([*GAIT, f"model={name}", "model.name=x"]), tmp_path)

    write(tmp_path, "a.py", CHAIN)
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", "a.py", CHAIN)
    assert (first := digest("a.py")) == digest("elsewhere/a.py")
    write(tmp_path, "a.py", CHAIN + "# changed\n")
    assert digest("a.py") != first


def test_own_data_is_split_or_comes_split(tmp_path):
    (tmp_path / "walk.csv").write_text("x,activity\n" + "".join(f"{i},{'ab'[i // 60]}\n" for i in range(120)))
    write(tmp_path, "my_data.py", (EXAMPLES / "data.py").read_text())
    windows = [*GAIT[:1], "data=my_data.py:windows", "data.path=walk.csv", "data.window=10", "data.step=5"]
    data = _data(compose(windows))
    assert (data.classes, data.train.inputs.shape[1:]) == (("a", "b"), (10, 1))
    assert data.validation is not None
    write(
        tmp_path,
        "apart.py",
        "import numpy as np\n\n\ndef apart(n: int):\n    x, y = np.arange(3.0 * n).reshape(n, 3), np.arange(n) % 2\n"
        "    return {'train': (x, y), 'test': (x[:4], y[:4])}\n",
    )
    apart = _data(compose(["task=table", "data=apart.py", "data.n=40"]))
    assert (len(apart.train), apart.validation, len(apart.test)) == (40, None, 4)
    fold = ["data.fold=0", "data.folds=4"]
    assert len(_data(compose([*windows, *fold])).validation) < len(data.validation) + len(data.test)
    with pytest.raises(DataError, match=r"data.fold=0: apart.py gives splits of its own"):
        _data(compose(["task=table", "data=apart.py", "data.n=40", *fold]))
    with pytest.raises(UserError, match=r"^data.n is not set$"):
        compose(["task=table", "data=apart.py"])


def test_a_network_says_which_samples_it_takes(tmp_path):
    write(tmp_path, "my_net.py", CHAIN + "INPUTS = ('images',)\n")
    assert refused("model=my_net.py").startswith("model=my_net.py is for task=cnn, not for task=activity; ")
