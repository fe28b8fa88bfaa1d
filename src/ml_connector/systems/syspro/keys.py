"""How SYSPRO's documents are named outside SYSPRO.

An invoice is `supplier/invoice`; what is booked on it later is `year/month/journal/entry`. A slash or percent sign
inside a code is percent-escaped, so a key reads back in one way only. Codes stay as SYSPRO has them, leading blanks
included; trailing blanks are padding.
"""

from __future__ import annotations

from ml_connector.systems.syspro.postings import Entry


def invoice_key(supplier: str, invoice: str) -> str:
    supplier, invoice = supplier.rstrip(), invoice.rstrip()
    if "/" in supplier or "/" in invoice or "%" in supplier or "%" in invoice:
        supplier, invoice = _escaped(supplier), _escaped(invoice)
    return f"{supplier}/{invoice}"


def entry_key(entry: Entry) -> str:
    return "/".join(map(str, entry))


def payment_key(supplier: str, invoice: str, entry: int) -> str:
    return f"{invoice_key(supplier, invoice)}/{entry}"


def parts(key: str) -> list[str]:
    """The codes that a key is made of."""
    return [part.replace("%2F", "/").replace("%25", "%") for part in key.split("/")]


def _escaped(code: str) -> str:
    return code.replace("%", "%25").replace("/", "%2F")
