"""The sparse autoencoder: two dense layers that must say their input again through few active hidden units."""

from duograd.models.families.autoencoder.cost import ae_cost

__all__ = ["ae_cost"]
