"""The texts on a BILL document: our note with the mark on the header, and a description on each line.

Header: `<memo> · orders <numbers> · <source>/<voucher> · <mark>`. Only the part before the source is ever
shortened (R31), with an ellipsis for people to see; the mark stays whole (R6).
"""

from __future__ import annotations

from ml_connector.domain.numbers import MARK_LENGTH, find_mark
from ml_connector.domain.records import Invoice, InvoiceLine, LineKind

DESCRIPTION_MAX = 4000
SEPARATOR = " · "
ELLIPSIS = "…"


def header_note(invoice: Invoice, source_label: str, mark: str) -> str:
    """The description that carries the mark, never longer than BILL takes."""
    tail = SEPARATOR.join(part for part in (_origin(invoice, source_label), mark) if part)
    body = shortened(header_body(invoice), DESCRIPTION_MAX - len(tail) - len(SEPARATOR))
    return SEPARATOR.join(part for part in (body, tail) if part)


def header_body(invoice: Invoice) -> str:
    """The part of the note that the source's text makes: what is compared with BILL."""
    orders = f"orders {', '.join(invoice.orders)}" if len(invoice.orders) > 1 else ""
    return SEPARATOR.join(part for part in ((invoice.memo or "").strip(), orders) if part)


def header_agrees(sent: Invoice, found: Invoice, source_label: str) -> bool:
    """Whether a document's note begins as ours would; a voucher after it without a label is ours too."""
    origin = _origin(sent, source_label)
    tail = SEPARATOR.join(part for part in (origin, MARK_LENGTH * "m") if part)
    body = shortened(header_body(sent), DESCRIPTION_MAX - len(tail) - len(SEPARATOR))
    theirs = (found.memo or "").split()
    return theirs in (body.split(), SEPARATOR.join(part for part in (body, origin) if part).split())


def read_note(description: str | None, source_label: str) -> tuple[str | None, str | None]:
    """The source's text and the mark inside a description. A note without a mark is somebody's own text."""
    if not description:
        return None, None
    mark = find_mark(description)
    if mark is None:
        return description.strip() or None, None
    parts = description[: description.index(mark)].rstrip(" ·").split(SEPARATOR)
    if parts and source_label and parts[-1].startswith(source_label):
        parts.pop()
    return SEPARATOR.join(parts).strip() or None, mark


def line_text(line: InvoiceLine, position: int) -> str:
    """What a line is called: its own text, else its kind, else its place."""
    text = (line.description or "").strip()
    if not text and line.kind is LineKind.TAX:
        text = f"Tax {line.tax_code or ''}".strip()
    if not text and line.kind is not LineKind.ITEM:
        text = line.kind.capitalize()
    return shortened(text or f"Line {position}", DESCRIPTION_MAX)


def shortened(text: str, limit: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: max(0, limit - 1)].rstrip() + ELLIPSIS


def _origin(invoice: Invoice, source_label: str) -> str:
    return "/".join(part for part in (source_label, invoice.voucher) if part)
