"""Which value a name says that it is the gradient of."""

import re

HOLDERS_OF_GRADIENTS = ("grads", "gradients", "grad", "dparams", "gradient")


def gradient_of(name: str) -> str | None:
    """The name whose gradient a name says it is: W of dW, d_W, dW_, grad_W, W_grad, gradW, W_bar, g_W; else None."""
    for pattern in (
        r"(?:d_|grad_|gradient_|g_|delta_)(.+?)_?",
        r"(.+?)_(?:grad|gradient|bar|g|dot)",
        r"(?:grad)([A-Z].*)",
        r"d(.+?)_?",
        r"g([A-Za-z]\w{0,2})",  # gW, gx
    ):
        match = re.fullmatch(pattern, name)
        if match:
            return match[1]
    return None


def same_word(a: str, b: str) -> bool:
    """Whether two names are one but for underscores and capitals: x_hat and xhat; W and w are two."""
    return a == b or a.replace("_", "") == b.replace("_", "")
