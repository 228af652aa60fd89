"""An answer as Markdown: pictures beside it, by relative paths."""

import os
from pathlib import Path
from urllib.parse import quote

from duograd.runner.answer.document import Block, Code, Document, Heading, Link, Picture, Text
from duograd.runner.answer.tables import Table


def markdown(document: Document, folder: Path) -> str:
    """The document as the text of a file in `folder`."""
    return "\n\n".join([f"# {_escaped(document.title)}", *(_block(block, folder) for block in document.blocks)]) + "\n"


def _block(block: Block, folder: Path) -> str:
    match block:
        case Heading():
            return f"## {_escaped(block.text)}"
        case Text():
            return _escaped(block.text)
        case Link():
            return f"{block.before} [{_escaped(block.text)}](<{block.address}>)"
        case Code():
            return f"```\n{block.text}\n```"
        case Picture():
            relative = quote(os.path.relpath(block.path, folder))
            return f"![{_escaped(block.caption)}]({relative})"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    rule = ["---:" if numeric else "---" for numeric in table.numeric]
    rows = [[_cell(text) for text in row] for row in [table.heads, *table.rows]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    """Words as they are: nothing in them is taken for a mark."""
    for mark in ("\\", "|", "*", "_", "[", "]", "<", "`"):
        text = text.replace(mark, f"\\{mark}")
    return text
