"""An answer as one self-contained HTML page: pictures inside it, nothing asked of any other place."""

import base64
from html import escape
from string import Template

from duograd.runner.answer.document import Block, Code, Document, Heading, Link, Picture, Text
from duograd.runner.answer.tables import Table

PAGE = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #e5e7eb; vertical-align: top; }
td { overflow-wrap: anywhere; }
.ranking td { white-space: nowrap; }
th { border-bottom: 2px solid #1f2933; white-space: nowrap; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: " ↑"; } th[aria-sort=descending] button::after { content: " ↓"; }
.number { text-align: right; white-space: nowrap; }
tr.first td { font-weight: 600; background: #eef4fa; }
pre { background: #f3f4f6; padding: .7rem 1rem; overflow-x: auto; }
figure { margin: 1.5rem 0; } figcaption { color: #6b7280; font-size: .875rem; }
img { max-width: 100%; height: auto; border: 1px solid #e5e7eb; }
</style>
<h1>$title</h1>
$body
<script>
// A click on a column's head sorts by it: numbers by size, those that are missing last.
for (const button of document.querySelectorAll("th button")) button.onclick = () => {
  const head = button.parentElement, body = head.closest("table").tBodies[0], at = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending", numeric = head.classList.contains("number");
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = row => row.cells[at].textContent, value = row => parseFloat(text(row));
  const order = (a, b) => numeric
    ? isNaN(value(a)) - isNaN(value(b)) || (up ? 1 : -1) * (value(a) - value(b) || 0)
    : (up ? 1 : -1) * text(a).localeCompare(text(b), undefined, {numeric: true});
  body.append(...[...body.rows].sort(order));
};
</script>
</html>
""")


def html(document: Document) -> str:
    """The document as a page."""
    body = "\n".join(_block(block) for block in document.blocks)
    return PAGE.substitute(title=escape(document.title), body=body)


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h2>{escape(block.text)}</h2>"
        case Text():
            return f"<p>{escape(block.text)}</p>"
        case Link():
            before = escape(block.before).replace("`duograd ui`", "<code>duograd ui</code>")
            return f'<p>{before} <a href="{escape(block.address)}">{escape(block.text)}</a></p>'
        case Code():
            return f"<pre>{escape(block.text)}</pre>"
        case Picture():
            return _picture(block)
        case Table():
            return _table(block)


def _picture(picture: Picture) -> str:
    content = base64.b64encode(picture.path.read_bytes()).decode()
    caption = escape(picture.caption)
    image = f'<img src="data:image/png;base64,{content}" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _table(table: Table) -> str:
    kinds = [' class="number"' if numeric else "" for numeric in table.numeric]
    heads = [
        f'<th scope="col"{kind}><button type="button">{escape(head)}</button></th>'
        for head, kind in zip(table.heads, kinds, strict=True)
    ]
    rows = [_row(row, kinds, table.heads[0] == "#" and row[0] == "1") for row in table.rows]
    head = f"<thead><tr>{''.join(heads)}</tr></thead>"
    kind = ' class="ranking"' if table.heads[0] == "#" else ""
    return f'<div class="wide"><table{kind}>{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _row(row: list[str], kinds: list[str], first: bool) -> str:
    cells = "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row, kinds, strict=True))
    kind = ' class="first"' if first else ""
    return f"<tr{kind}>{cells}</tr>"
