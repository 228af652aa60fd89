"""A block of a transformer by hand: x + attention(norm(x)), then x + dense layers(norm(x)).

Rows are places: N = B · T of them, each (D,). What a layer is handed are all of the network's parameters, by name.

Legend: B batch, T places, D features.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from duograd.models.arrays import Array
from duograd.models.layers.attention import Watch, self_attention
from duograd.models.layers.dense import affine, dropout
from duograd.models.layers.gelu import fast_gelu
from duograd.models.layers.layer import Back, Layer, chain, named, plain, residual
from duograd.models.layers.row_norm import row_norm

Params = Mapping[str, Array]


def block(
    params: Params, name: str, heads: int, T: int, masks: Sequence[Array | None], watch: Watch | None = None
) -> Layer:
    """x (N, D) -> y (N, D). masks (N, D): of attention, of the dense layers. watch: as of `self_attention`."""
    of_attention, of_dense = masks
    attend = [normed(params, f"{name}.norm1"), dense(params, f"{name}.qkv"), attention(heads, T, watch)]
    think = [normed(params, f"{name}.norm2"), dense(params, f"{name}.up"), plain(fast_gelu)]
    return chain(
        [
            residual(chain([*attend, dense(params, f"{name}.out"), dropped(of_attention)])),
            residual(chain([*think, dense(params, f"{name}.down"), dropped(of_dense)])),
        ]
    )


def dense(params: Params, name: str) -> Layer:
    """y = x Wᵀ + b."""
    return named(name, lambda x: affine(x, params[f"{name}.weight"], params[f"{name}.bias"]))


def normed(params: Params, name: str) -> Layer:
    """Each place by its own features."""
    return named(name, lambda x: row_norm(x, params[f"{name}.weight"], params[f"{name}.bias"]))


def attention(heads: int, T: int, watch: Watch | None) -> Layer:
    """(N, 3D) -> (N, D), over the T places of each sample."""

    def layer(qkv: Array) -> tuple[Array, Back]:
        y, back = self_attention(qkv.reshape(-1, T, qkv.shape[1]), heads, watch)
        shape = y.shape
        return y.reshape(-1, shape[2]), lambda dy: (back(dy.reshape(shape)).reshape(qkv.shape), {})

    return layer


def dropped(mask: Array | None) -> Layer:
    """Dropout."""
    return plain(partial(dropout, mask=mask))
