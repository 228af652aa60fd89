"""Overrides in a hint, so that they work when they are pasted: between quotes of Hydra's grammar and of a shell."""

import re
import shlex
from collections.abc import Sequence

PLAIN = re.compile(r"(?!(?:true|false|null|inf|nan)$)[a-z_/.][\w/.+-]*", re.ASCII | re.IGNORECASE)  # needs no quotes


def override(key: str, value: str | Sequence[str]) -> str:
    """key=value, of a text or a list of texts, plainly where that is enough."""
    texts = [value] if isinstance(value, str) else value
    if all(map(PLAIN.fullmatch, texts)):
        return f"{key}={value}" if isinstance(value, str) else f"{key}=[{','.join(texts)}]"
    inner = ",".join(map(quoted, texts))
    return for_shell(f"{key}={inner}" if isinstance(value, str) else f"{key}=[{inner}]")


def hydra_text(text: str) -> str:
    """The text for Hydra's grammar: between quotes where it needs them."""
    return text if PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """The text between quotes of Hydra's grammar."""
    mark = '"' if "'" in text and '"' not in text else "'"
    escaped = re.sub(rf"(\\*)({mark}|$)", lambda found: found[1] * 2 + (f"\\{mark}" if found[2] else ""), text)
    return f"{mark}{escaped}{mark}"


def for_shell(text: str) -> str:
    """The text between quotes of a shell, double ones where they do: inside are Hydra's."""
    return shlex.quote(text) if re.search(r'["$`\\!]', text) else f'"{text}"'
