"""Transformers for sequences: patches of time steps, blocks of self-attention and dense layers, the mean of places."""

from duograd.models.families.transformer.config import TransformerConfig
from duograd.models.family import Family

FAMILY = Family(
    config=TransformerConfig,
    net=f"{__name__}.numpy_net:TransformerNet",
    twin=f"{__name__}.torch_net:TorchTransformer",
    inputs=("sequences",),
    targets=("classes", "values"),
    figures=("attention_maps",),
    stacks=True,
)
