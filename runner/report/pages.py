"""Pages as HTML and as Markdown: a template of `templates/`, such as `answer.jinja`, in two skins.

Both skins escape whatever is put in, so that nothing that a user or a file says is taken for markup.
"""

import base64
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

ANSWER = "answer.jinja"
MARKS = re.compile(r"[\\|*_\[\]<`~&]")  # of Markdown


def html(content: dict[str, Any], template: str = ANSWER) -> str:
    """The page with everything in it. content: what the template names."""
    return _environment().get_template(template).render(content, skin="html.jinja")


def markdown(content: dict[str, Any], folder: Path, template: str = ANSWER) -> str:
    """The same for a file in `folder`, with pictures beside it."""
    environment = _environment(finalize=_escaped)
    environment.filters |= {
        "source": partial(_relative, folder=folder),
        "fenced": _fenced,
        "one_line": lambda text: " ".join(text.split()),
        "address": lambda url: Markup(quote(url, safe="/:?#&=%@+,;$!*'()[]~")),
    }
    return environment.get_template(template).render(content, skin="markdown.jinja")


def redirect(address: str) -> str:
    """A page that leads to another: a short name for a long address."""
    return _environment().get_template("redirect.jinja").render(address=address)


def _environment(finalize: Callable[[Any], Markup] | None = None) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("duograd.runner.report"),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["source"] = _embedded
    return environment


def _embedded(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _relative(path: Path, folder: Path) -> Markup:
    return Markup(quote(os.path.relpath(path, folder)))


def _escaped(value: Any) -> Markup:
    """Words as they are; what a macro made is Markdown already."""
    return value if isinstance(value, Markup) else Markup(MARKS.sub(r"\\\g<0>", str(value)))


def _fenced(text: str) -> Markup:
    """A block of code, whose fence is longer than any run of backticks inside."""
    fence = "`" * max(3, 0, *(len(run) + 1 for run in re.findall("`+", text)))
    return Markup(f"{fence}\n{text}\n{fence}")
