"""accountingDocuments: invoices that are approved for transfer, and the answers of accounting.

Basware: GET may be answered 302, to be followed without `Authorization`; an acknowledged invoice leaves the queue, and
acknowledging it again is 405; a transferred invoice takes no further transfer response; a payment response clears
the fields that it leaves out; of each kind of answer the last 100 are kept.
"""

from collections.abc import Callable
from decimal import Decimal

from ml_connector.sandbox.basware.calls import Call, Handler, Routes
from ml_connector.sandbox.basware.errors import CONFLICT, NOT_ALLOWED, Bare, Error, Refused, no_rows, parameter
from ml_connector.sandbox.basware.files import Files
from ml_connector.sandbox.basware.incoming import Reader, entity_of, instant
from ml_connector.sandbox.basware.lifecycle import (
    ACKNOWLEDGED,
    AFTER_TRANSFER,
    ENRICHMENT,
    PAYABLE,
    PAYMENT,
    RESPONSES,
    RESPONSES_KEPT,
    TRANSFER,
    WAITING,
    ResponseKind,
    high_level,
)
from ml_connector.sandbox.basware.listing import Lister, Page
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import amount, rendered, stamp
from ml_connector.sandbox.basware.processing import Processing
from ml_connector.sandbox.basware.schema import CHOICES
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import BadInput, Row

NAME, TYPE = "accountingDocuments", "AccountingDocument"
READ, WRITE = f"{NAME}.read", f"{NAME}.write"
PAGE = 100
STATUS_PAGE = 500
STANDARD, ENRICHING = "Standard", "InvoiceEnrichment"
OVERWRITTEN_BY_PAYMENT = {
    "paymentMethod": "paymentMethod",
    "paymentTermCode": "paymentTermCode",
    "paymentMessage": "paymentMessage",
    "paymentRevelsalDocument": "paymentReversalDocument",
}
"""Fields of the invoice that a payment response sets, or clears by leaving them out; the first is misspelt so."""


class Documents:
    def __init__(
        self,
        processing: Processing,
        lister: Lister,
        files: Files,
        options: BaswareOptions,
        clock: Clock,
        announce: Callable[[str, str, str], None],
    ) -> None:
        self._processing = processing
        self._lister = lister
        self._files = files
        self._options = options
        self._clock = clock
        self._announce = announce
        self.table = Table()

    def add_routes(self, routes: Routes) -> None:
        base = f"/v1/{NAME}"
        routes.add(f"GET {base}", READ, self._list)
        routes.add(f"GET {base}/status", READ, self._status)
        routes.add(f"GET {base}/{{id}}", READ, self._get)
        routes.add(f"POST {base}/{{id}}/acknowledge", WRITE, self._acknowledge)
        routes.add(f"GET {base}/{{id}}/attachments/{{code}}", READ, self._attachment)
        for kind in RESPONSES:
            routes.add(f"POST {base}/{{id}}/{kind.path}", WRITE, self._taking(kind))

    # --- reading -------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Response:
        query = call.query
        status = query.choice("ProcessingStatus", CHOICES["ProcessingStatus"])
        mode = query.choice("p2pProcessingMode", CHOICES["ProcessingMode"]) or STANDARD
        company = query.text("companyCode")
        newer = self._lister.since(query)

        def wanted(row: Row) -> bool:
            return (
                status in (None, row["processingStatus"])
                and row.get("p2pProcessingMode", STANDARD) == mode
                and company in (None, row["companyCode"])
                and newer(row)
            )

        size = query.page_size(PAGE, PAGE)
        page = self._lister.page(
            self.table.numbered(), call.request, wanted, size, lambda row: len(row.get("codingRows", []))
        )
        return self._answer(call, page)

    def _get(self, call: Call) -> Response:
        return self._answer(call, Page([self._find(call)], None))

    def _answer(self, call: Call, page: Page) -> Response:
        """The rows, or the address of a file that holds them."""
        rows = [self._shown(row) for row in page.rows]
        body: object = rows if NAME in self._options.bare_lists else {NAME: rows}
        if not self._options.redirect:
            return Response.json(body, headers=page.headers)
        carrier = self._options.continuation_on
        file_headers = page.headers if carrier in ("both", "file") else []
        address = self._files.keep(Response.json(body, headers=file_headers))
        return Response(
            302, headers=[("Location", address), *(page.headers if carrier in ("both", "redirect") else [])]
        )

    def _shown(self, row: Row) -> Row:
        shown = rendered(TYPE, row, self._options)
        if not self._options.attachments or row["processingStatus"] not in AFTER_TRANSFER:
            shown.pop("attachments", None)
        return shown

    def _status(self, call: Call) -> Response:
        query = call.query
        names = ("companyCode", "invoiceNumber", "invoiceDate")
        asked = {name: query.text(name) for name in names}
        missing = [name for name, value in asked.items() if value is None]
        if missing:
            raise parameter(f"{', '.join(missing)} required.")
        date = query.instant("invoiceDate")
        gross = query.text("grossSum")
        size = query.page_size(STATUS_PAGE, STATUS_PAGE)
        if not self._options.invoice_status:
            raise no_rows()
        found = [
            {
                "invoiceId": row["invoiceId"],
                "status": high_level(row["processingStatus"]),
                "processingStatus": row["processingStatus"],
                "lastUpdated": row["lastUpdated"],
            }
            for row in self.table
            if row["companyCode"] == asked["companyCode"]
            and row.get("invoiceNumber") == asked["invoiceNumber"]
            and instant(row.get("invoiceDate", "")) == date
            and (gross is None or amount(row, "grossSum") == _number(gross))
        ]
        if not found:
            raise no_rows()
        return Response.json(found[:size])

    def _attachment(self, call: Call) -> Response:
        row = self._find(call)
        names = {one.get("externalCode"): one for one in row.get("attachments", [])}
        attachment = names.get(call.ids[1])
        if attachment is None or not self._options.attachments or row["processingStatus"] not in AFTER_TRANSFER:
            raise no_rows()
        text = f"{attachment.get('filename')}: invoice {row.get('invoiceNumber')} of {row.get('supplierName')}\n"
        return Response(302, headers=[("Location", self._files.keep(Response.text(text)))])

    # --- answers of accounting -----------------------------------------------------------------------------

    def _acknowledge(self, call: Call) -> Response:
        row = self._find(call)
        status = ACKNOWLEDGED.get(row["processingStatus"])
        if status is None:
            if self._options.acknowledge_again_status == 405:
                raise Bare(405)
            raise Refused(400, Error(NOT_ALLOWED, "The invoice is acknowledged already."))
        self.move(row, status)
        return Response.json("Acknowledged")

    def _taking(self, kind: ResponseKind) -> Handler:
        def take(call: Call) -> Response:
            row = self._find(call)
            given = entity_of(call.request, kind.entity, self._options.unknown_fields)
            self._check(kind, row, given)
            row[kind.path] = [*row.get(kind.path, []), given][-RESPONSES_KEPT:]
            if kind is PAYMENT:
                self._pay(row, given)
            else:
                self._settle(kind, row, given)
            self._processing.respond(call.request_id, kind.status_entity, row["invoiceId"], given, call.by)
            return Response.json(rendered(kind.entity, given, self._options))

        return take

    def _check(self, kind: ResponseKind, row: Row, given: Row) -> None:
        status, code = row["processingStatus"], given["externalCode"]
        if kind is PAYMENT:
            if status not in PAYABLE and self._options.payment_before_transfer == "refuse":
                raise Refused(400, Error(NOT_ALLOWED, f"The invoice is {status}, not Transferred.", code))
        elif status != kind.in_progress and (
            status != kind.waiting or self._options.response_without_acknowledge == "refuse"
        ):
            again = self._options.transfer_again_status if kind is TRANSFER else kind.refusal
            text = f"The invoice is {status}: a {kind.entity} is not allowed."
            raise Bare(405) if again == 405 else Refused(again, Error(NOT_ALLOWED, text, code))
        if any(one["externalCode"] == code for one in row.get(kind.path, [])):
            raise Refused(kind.refusal, Error(CONFLICT, "The invoice has a response with this externalCode.", code))

    def _settle(self, kind: ResponseKind, row: Row, given: Row) -> None:
        """Voucher numbers and the payment block come into the invoice only with a success."""
        if given["success"]:
            row.update({name: given[name] for name in ("voucherNumber1", "voucherNumber2") if name in given})
            row["paymentBlock"] = given.get("paymentBlock", row["paymentBlock"])
            row["prebooked"] = row.get("prebooked", False) or kind.success == "Prebooked"
        self.move(row, kind.success if given["success"] else kind.failure)

    def _pay(self, row: Row, given: Row) -> None:
        if not given["success"]:
            self.move(row, row["processingStatus"])
            return
        for mine, theirs in OVERWRITTEN_BY_PAYMENT.items():
            row.pop(mine, None)
            if theirs in given:
                row[mine] = given[theirs]
        row["paymentBlock"] = given["paymentBlock"]
        given.setdefault("paymentDate", self._clock.now().date().isoformat())
        settled = amount(given, "paidTotal") + amount(given, "cashDiscount")
        paid = "paidTotal" in given and abs(settled) >= abs(amount(row, "grossSum"))
        status = row["processingStatus"]
        if status in PAYABLE:
            status = "Paid" if paid else "Transferred"
        self.move(row, status)

    def _find(self, call: Call) -> Row:
        row = self.table.get(call.ids[0])
        if row is None:
            raise no_rows()
        return row

    # --- P2P's side ----------------------------------------------------------------------------------------

    def move(self, row: Row, status: str) -> None:
        """Sets the status, stamps the row, and tells subscribers of an invoice that begins to wait."""
        before, row["processingStatus"] = row.get("processingStatus"), status
        row["lastUpdated"] = stamp(self._clock.now())
        self.table.put(row["invoiceId"], row)
        if status in WAITING and status != before:
            self._announce(NAME, status, row["invoiceId"])

    def edit(self, given: Row) -> Row:
        """What a person does in P2P: merges into the invoice of this id, or enters a new one. Raises BadInput."""
        code = given.get("invoiceId")
        if not isinstance(code, str) or not code:
            raise BadInput(f"{NAME}: a row needs invoiceId")
        known = self.table.get(code)
        if given.get("_delete") is True:
            self.table.remove(code)
            return given
        fields = {name: value for name, value in given.items() if value is not None}
        removed = {name for name, value in given.items() if value is None}
        merged = {"paymentBlock": False, **(known or {}), **fields}
        merged = {name: value for name, value in merged.items() if name not in removed}
        reader = Reader("reject")
        row = reader.entity(TYPE, merged, trusted=True)
        if reader.wrong:
            raise BadInput(f"{NAME} {code}: {'; '.join(reader.wrong)}")
        mode = ENRICHING if row["processingStatus"] in ENRICHMENT else STANDARD
        row.setdefault("p2pProcessingMode", mode)
        status = row.pop("processingStatus")
        if known is not None:
            row["processingStatus"] = known["processingStatus"]
        self.move(row, status)
        if "lastUpdated" in given:
            row["lastUpdated"] = given["lastUpdated"]
        return row


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise parameter(f"grossSum {text!r} is not a number.") from None
