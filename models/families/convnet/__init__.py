"""Networks for images: convolutions with normalisation, activation and pooling, then dense layers; or these alone."""

from duograd.models.families.convnet.config import ConvNetConfig
from duograd.models.family import Family

FAMILY = Family(
    config=ConvNetConfig,
    net=f"{__name__}.numpy_net:ConvNet",
    twin=f"{__name__}.torch_net:torch_convnet",
    inputs=("images",),
    targets=("classes", "values"),
    figures=("filters", "activation_maps"),
    alone=f"{__name__}.architecture:fault_alone",
    stacks=True,
)
