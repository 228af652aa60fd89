"""The sparse autoencoder's torch twin: the same parameters and cost, its gradient by autograd."""

from typing import Any, cast

import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.families.autoencoder.config import AutoencoderConfig
from duograd.models.families.autoencoder.numpy_net import initial_weights
from duograd.models.losses.sparse import SparseLossConfig
from duograd.models.torch_loss import Settings

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


class TorchAutoencoder(nn.Module):
    """encoder (H, I), decoder (I, H); starts at the weights of `AutoencoderNet`."""

    def __init__(
        self,
        config: AutoencoderConfig,
        loss: SparseLossConfig,
        shape: tuple[int, ...],
        outputs: int,
        seed: int,
        dtype: DTypeLike,
    ) -> None:
        super().__init__()
        weights = initial_weights(config, shape[-1], seed, dtype)
        self.encoder, self.decoder = nn.Linear(shape[-1], config.hidden_size), nn.Linear(config.hidden_size, shape[-1])
        self.hidden, self.output = ACTIVATIONS[config.hidden_activation], ACTIVATIONS[config.output_activation]
        self.settings: Settings = {"lambda": loss.lambda_, "beta": loss.beta, "rho": loss.rho}
        self.sparse = bool(loss.beta)
        self.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()}, assign=True)

    def terms(self, inputs: Tensor, targets: None = None, step: int = 0) -> dict[str, Tensor]:
        """The terms of J over inputs (N, I); `loss` is their sum."""
        return self.terms_with(inputs, targets, None, self.settings)

    def masks(self, inputs: Tensor, step: int) -> None:
        """Nothing in it is random."""

    def terms_with(self, inputs: Tensor, targets: None, masks: None, settings: Settings) -> dict[str, Tensor]:
        """The terms by lambda, beta and rho, which `vmap` may batch: see `torch_stack`."""
        h = self.encode(inputs)
        o = self.output(self.decoder(h))
        W1, W2 = self.encoder.weight, self.decoder.weight
        terms = {
            "mse": ((o - inputs) ** 2).sum() / (2 * len(inputs)),
            "l2": settings["lambda"] / 2 * ((W1**2).sum() + (W2**2).sum()),
            "kl": settings["beta"] * kl(settings["rho"], h.mean(dim=0)).sum() if self.sparse else inputs.new_zeros(()),
        }
        return {"loss": terms["mse"] + terms["l2"] + terms["kl"], **terms}

    def encode(self, inputs: Tensor) -> Tensor:
        """Hidden activations (N, H)."""
        return self.hidden(self.encoder(inputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """Reconstructions (N, I)."""
        return self.output(self.decoder(self.encode(inputs)))

    def probe(self, inputs: Tensor, targets: None = None) -> dict[str, Tensor]:
        """What figures ask for: hidden activations (N, H)."""
        return {"hidden": self.encode(inputs)}


def kl(rho: Any, rho_hat: Tensor) -> Tensor:
    """KL(rho | rho_hat), per hidden unit (H,)."""
    return cast(Tensor, rho * torch.log(rho / rho_hat) + (1 - rho) * torch.log((1 - rho) / (1 - rho_hat)))
