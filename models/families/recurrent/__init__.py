"""Recurrent networks for sequences: RNN, LSTM and GRU, many-to-one, with dense layers on top."""

from duograd.models.families.recurrent.config import RecurrentConfig
from duograd.models.family import Family

FAMILY = Family(
    config=RecurrentConfig,
    net=f"{__name__}.numpy_net:RecurrentNet",
    twin=f"{__name__}.torch_net:TorchRecurrent",
    inputs=("sequences",),
    targets=("classes", "values"),
    figures=("gradient_norm",),
    stacks=True,
)
