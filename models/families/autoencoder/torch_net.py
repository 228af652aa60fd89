"""The sparse autoencoder's torch twin: the same parameters and cost, its gradient by autograd."""

import torch
from numpy.typing import DTypeLike
from torch import Tensor, nn

from duograd.models.families.autoencoder.config import AutoencoderConfig
from duograd.models.families.autoencoder.numpy_net import initial_weights
from duograd.models.losses.sparse import SparseLossConfig

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
        self.loss = loss
        self.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()}, assign=True)

    def terms(self, inputs: Tensor, targets: None = None, step: int = 0) -> dict[str, Tensor]:
        """The terms of J over inputs (N, I); `loss` is their sum."""
        h = self.encode(inputs)
        o = self.output(self.decoder(h))
        W1, W2 = self.encoder.weight, self.decoder.weight
        lambda_, beta = self.loss.lambda_, self.loss.beta
        terms = {
            "mse": ((o - inputs) ** 2).sum() / (2 * len(inputs)),
            "l2": lambda_ / 2 * ((W1**2).sum() + (W2**2).sum()),
            "kl": beta * self.kl(h.mean(dim=0)).sum() if beta else inputs.new_zeros(()),
        }
        return {"loss": terms["mse"] + terms["l2"] + terms["kl"], **terms}

    def kl(self, rho_hat: Tensor) -> Tensor:
        """KL(rho | rho_hat), per hidden unit (H,)."""
        rho = self.loss.rho
        return rho * torch.log(rho / rho_hat) + (1 - rho) * torch.log((1 - rho) / (1 - rho_hat))

    def encode(self, inputs: Tensor) -> Tensor:
        """Hidden activations (N, H)."""
        return self.hidden(self.encoder(inputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """Reconstructions (N, I)."""
        return self.output(self.decoder(self.encode(inputs)))

    def probe(self, inputs: Tensor, targets: None = None) -> dict[str, Tensor]:
        """What figures ask for: hidden activations (N, H)."""
        return {"hidden": self.encode(inputs)}
