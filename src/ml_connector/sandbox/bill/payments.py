"""Payments: made through BILL (read, cancel, void) and recorded ones that were made outside.

BILL: creating a payment needs an MFA-trusted session, which an integration does not have, so payments come
into the stand-in through its control URL. `status` says CANCELLED, `singleStatus` CANCELED.
"""

from decimal import Decimal

from ml_connector.sandbox.bill.errors import Refused, invalid, overpaid, untrusted
from ml_connector.sandbox.bill.ids import BILL_PAY, PAYMENT
from ml_connector.sandbox.bill.ledger import SINGLE_STATUSES, UNDONE, WAITING, Ledger
from ml_connector.sandbox.bill.listing import AMONG, ANY_OF, EQUAL, RANGE, Rules, date, flag, number, text, time
from ml_connector.sandbox.bill.reading import Reader, body_of, cents, without_null
from ml_connector.sandbox.bill.records import Books, Call, Records
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import BadInput, Row

VOID_TYPES = ("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD")
STATUS = {
    "SCHEDULED": "SCHEDULED",
    "READY_TO_FUND": "SCHEDULED",
    "FUNDING_STARTED": "SCHEDULED",
    "CANCELLATION_IN_PROGRESS": "SCHEDULED",
    "CANCELED": "CANCELLED",
    "VOIDED": "VOID",
    "FUNDING_FAILED_VOIDED": "VOID",
    "FUNDS_ESCHEATED": "ESCHEATED",
}
"""`status` for a `singleStatus`; PAID for all others."""
RULES = Rules(
    filters={
        "id": text(*AMONG),
        "vendorId": text(*AMONG),
        "processDate": date(*EQUAL, *RANGE),
        "amount": number(),
        "transactionNumber": text(*AMONG, "sw"),
        "status": text(*ANY_OF),
        "onlinePayment": flag(),
        "disbursementType": text(*ANY_OF),
        "createdTime": time(),
        "updatedTime": time(),
    },
    sorts=(
        "description",
        "processDate",
        "amount",
        "confirmationNumber",
        "onlinePayment",
        "createdTime",
        "updatedTime",
        "disbursementStatus",
    ),
)


class Payments(Records):
    def __init__(self, books: Books, ledger: Ledger, user: str, bank_account: str) -> None:
        super().__init__(books, books.payments, RULES, PAYMENT)
        self._ledger = ledger
        self._user = user
        self._bank_account = bank_account
        self._numbers = 0

    def refuse(self, call: Call) -> Response:
        """Create and bulk create, which no session here may do."""
        raise untrusted()

    def record(self, call: Call) -> Response:
        """`POST /v3/bills/record-payment`: a payment made outside; its bills are paid at once."""
        taken = self._read_record(call)
        self.books.require([(self.books.vendors, taken["vendorId"])])
        rows = taken.pop("payments")
        self._check_bills(taken["vendorId"], rows)
        row = {
            **taken,
            "billPayments": [{"id": self.books.ids.new(BILL_PAY), **row} for row in rows],
            "onlinePayment": False,
            "disbursementType": "OFFLINE",
            "singleStatus": "CLEARED",
        }
        stored = self._insert(row)
        self._ledger.apply_payment(stored)
        return Response.json(stored)

    def cancel(self, call: Call) -> Response:
        """Only while `singleStatus` is SCHEDULED."""
        row = self.find(call.ids[0])
        if row["singleStatus"] != "SCHEDULED":
            raise Refused(422, invalid(f"payment {row['id']} can no longer be cancelled."))
        row["cancelRequestSubmitted"] = True
        self._move(row, "CANCELED")
        return Response.json(self.show(row))

    def void(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        reader = Reader(body_of(call.request))
        reader.text("reason", required=True)
        reader.choice("type", VOID_TYPES)
        taken = self.taken(reader)
        if row["singleStatus"] in UNDONE | WAITING:
            raise Refused(422, invalid(f"payment {row['id']} cannot be voided."))
        now = self.books.stamp()
        voiding = {"id": self.books.ids.hex("void", 16), "requestedBy": self._user, "type": "VOID_ONLY", **taken}
        row["voidInfo"] = [{**voiding, "status": "ACCEPTED", "createdTime": now, "updatedTime": now}]
        self._move(row, "VOIDED")
        return Response.json(self.show(row))

    def show(self, row: Row, *, listed: bool = False) -> Row:
        return {**row, "vendorName": self.books.vendor_name(row["vendorId"])}

    def defaults(self, row: Row) -> Row:
        """A payment through BILL that has just been scheduled, of one bill or several."""
        rows = row.get("billPayments") or [{"billId": row.get("billId"), "amount": row.get("amount")}]
        bills = [self.books.bills.get(str(part.get("billId"))) for part in rows]
        if None in bills or any(part.get("amount") is None for part in rows):
            raise BadInput("payments: every billPayments row needs the id of a bill and an amount")
        return self._complete({"vendorId": next(bill["vendorId"] for bill in bills if bill), "billPayments": rows})

    def place(self, row: Row, known: Row | None, given: Row) -> None:
        if row["singleStatus"] not in SINGLE_STATUSES:
            raise BadInput(f"payments: singleStatus {row['singleStatus']} is unknown")
        for part in row["billPayments"]:
            part.setdefault("id", self.books.ids.new(BILL_PAY))
        if "status" not in given:
            row["status"] = STATUS.get(row["singleStatus"], "PAID")
        row.pop("archived", None)
        self.table.put(row)
        self._ledger.apply_payment(row)
        before = "SCHEDULED" if known is None else known["singleStatus"]
        if before != row["singleStatus"]:
            self._announce_status(row)

    def forget(self, row: Row) -> None:
        super().forget(row)
        self._ledger.forget(row["id"])

    def _read_record(self, call: Call) -> Row:
        reader = Reader(body_of(call.request))
        reader.text("vendorId", required=True)
        reader.date("processDate")
        reader.flag("toPrintCheck")
        reader.text("transactionNumber")
        reader.text("description")
        reader.text("syncReference")
        classifications = reader.inner("classifications")
        if classifications is not None:
            classifications.text("chartOfAccountId")
        for part in reader.rows("payments", required=True) or ():
            part.text("billId", required=True)
            part.number("amount", required=True)
        return without_null(self.taken(reader))

    def _check_bills(self, vendor: str, rows: list[Row]) -> None:
        for row in rows:
            self.books.require([(self.books.bills, row["billId"])])
            bill = self.books.bills.get(row["billId"])
            if bill is None or bill["vendorId"] != vendor:
                raise Refused(400, invalid(f"billId: {row['billId']} belongs to another vendor."))
            wanted = sum((part["amount"] for part in rows if part["billId"] == row["billId"]), Decimal(0))
            if row["amount"] <= 0:
                raise Refused(400, invalid("amount: must be greater than 0."))
            if wanted > self._ledger.open_amount(bill):
                raise overpaid(row["billId"])

    def _insert(self, row: Row) -> Row:
        now = self.books.stamp()
        stored = {"id": self.books.ids.new(PAYMENT), "createdTime": now, "updatedTime": now, **self._complete(row)}
        self.table.put(stored)
        return stored

    def _complete(self, row: Row) -> Row:
        """What every payment has, derived from its bills where possible."""
        self._numbers += 1
        today = self.books.clock.now().date()
        parts = row["billPayments"]
        single = {"billId": parts[0]["billId"]} if len(parts) == 1 else {}
        status = row.get("singleStatus", "SCHEDULED")
        return {
            **single,
            "amount": sum((cents(part["amount"]) for part in parts), Decimal("0.00")),
            "processDate": today.isoformat(),
            "transactionNumber": f"P{today:%y%m%d}01 - {self._numbers:07}",
            "confirmationNumber": f"P{today:%y%m%d}01 - {self._numbers:07}",
            "singleStatus": status,
            "status": STATUS.get(status, "PAID"),
            "onlinePayment": True,
            "disbursementType": "ACH",
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": self._bank_account},
            "createdBy": self._user,
            **row,
        }

    def _move(self, row: Row, status: str) -> None:
        row["singleStatus"] = status
        row["status"] = STATUS.get(status, "PAID")
        self.touch(row)
        self._ledger.apply_payment(row)
        self._announce_status(row)

    def _announce_status(self, row: Row) -> None:
        self.books.announce("payment.updated", row)
        if "FAILED" in row["singleStatus"]:
            self.books.announce("payment.failed", row)
