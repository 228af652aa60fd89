"""duograd --help: what can be typed. Hydra's own page names groups that nobody chooses, and no command."""

from collections.abc import Sequence

from omegaconf import OmegaConf

from duograd.runner.compose import compose_tree
from duograd.runner.explain import groups

HEADER = """\
duograd: every network twice - its gradient by hand in NumPy, and by autograd in PyTorch.

  duograd task=autoencoder model.hidden_size=100    train one network
  duograd -m model.hidden_size=10,50,100            train it once for each value
  duograd resume RUN_DIR | SWEEP_DIR                go on with what was interrupted
  duograd compare RUN_DIR... | SWEEP_DIR             which did best, and what made the difference
  duograd gradcheck task=autoencoder | layers       prove the gradient
  duograd bench NAME...                             measure speed, as ratios inside one run
  duograd filters IMAGE...                          convolution as image processing
  duograd sync RUN_DIR...                           bring MLflow up to date
  duograd ui                                        look at all runs in MLflow
"""
FOOTER = """\
duograd KEY=VALUE ... --help shows the keys that these choices lead to, --cfg job shows just the keys, and
--hydra-help Hydra's own flags. duograd SUB-COMMAND --help explains a sub-command."""


def show(overrides: Sequence[str]) -> None:
    """Prints the page for what was chosen so far. Raises UserError."""
    tree = compose_tree(overrides)
    print(HEADER)
    print("Groups: choose one of each with GROUP=OPTION\n")
    for name, options in groups().items():
        print(f"  {name}: {', '.join(options)}")
    print("\nKeys: set any with key=value\n")
    print("\n".join(f"  {line}" for line in OmegaConf.to_yaml(tree).splitlines()))
    print(f"\n{FOOTER}")
