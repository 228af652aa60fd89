"""The sparse autoencoder: two dense layers that must say their input again through few active hidden units."""

from duograd.models.families.autoencoder.config import AutoencoderConfig
from duograd.models.families.autoencoder.cost import ae_cost
from duograd.models.family import Family

__all__ = ["FAMILY", "ae_cost"]
FAMILY = Family(
    config=AutoencoderConfig,
    net=f"{__name__}.numpy_net:AutoencoderNet",
    twin=f"{__name__}.torch_net:TorchAutoencoder",
    inputs=("vectors",),
    targets=("inputs",),
    figures=("hidden_weights", "reconstructions"),
    stacks=True,
)
