"""Networks for rows of numbers: dense layers, each with its normalisation, activation and dropout."""

from duograd.models.families.mlp.config import MlpConfig
from duograd.models.family import Family

FAMILY = Family(
    config=MlpConfig,
    net=f"{__name__}.numpy_net:MlpNet",
    twin=f"{__name__}.torch_net:TorchMlp",
    inputs=("vectors",),
    targets=("classes", "values"),
    alone=f"{__name__}.config:fault_alone",
    stacks=True,
)
