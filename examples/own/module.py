"""A torch module by itself, without a half by hand: it trains with backend=torch.

duograd task=activity preset=smoke model=module.py backend=torch model.filters=16
"""

from torch import nn


class Conv(nn.Module):
    """One convolution over time, and the mean of what it finds. Fields are as in protocol.py."""

    def __init__(self, shape, outputs, filters: int = 8, dropout: float = 0.1):
        super().__init__()
        self.conv = nn.Conv1d(shape[-1], filters, kernel_size=5)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters, outputs)

    def forward(self, x):
        """Inputs (B, T, S) -> logits (B, C)."""
        return self.output(self.dropout(self.conv(x.transpose(1, 2)).relu().mean(dim=2)))
