"""What a person does in SAP Business One behind the product's back: the rows of `POST state/actions`.

    {"do": "cancel", "set": "PurchaseInvoices", "entry": 12}     also credit notes, orders and VendorPayments
    {"do": "close_order", "entry": 3}
    {"do": "reconcile", "entry": 12, "amount": 100.00}           settles an invoice without a payment
    {"do": "lock_period", "period": "2026-10"}                   "status": ltLocked (default), ltUnlocked, ...
    {"do": "freeze_supplier", "supplier": "PAK003", "frozen": true, "first": "2026-11-01", "last": null}
    {"do": "approve_draft", "draft": 4, "set": "Drafts", "add": true}    PaymentDrafts too; add posts it
    {"do": "reject_draft", "draft": 4, "set": "Drafts"}
    {"do": "lock_user", "user": "MLCONN", "locked": true}
    {"do": "end_sessions"}

Documents and payments are entered and changed through their own types; each is dated with the company's today.
"""

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ml_connector.sandbox.sapb1 import balances
from ml_connector.sandbox.sapb1.books import PAYABLES, ZERO, Booking, Books
from ml_connector.sandbox.sapb1.sessions import Sessions
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import BadInput, Row

DraftSet = Literal["Drafts", "PaymentDrafts"]
Cancellable = Literal["PurchaseInvoices", "PurchaseCreditNotes", "PurchaseOrders", "VendorPayments"]


class _Action(msgspec.Struct, forbid_unknown_fields=True, tag_field="do"):
    pass


class Cancel(_Action, tag="cancel"):
    set: Cancellable
    entry: int


class CloseOrder(_Action, tag="close_order"):
    entry: int


class Reconcile(_Action, tag="reconcile"):
    entry: int
    amount: Decimal | None = None


class LockPeriod(_Action, tag="lock_period"):
    period: str
    status: str = "ltLocked"


class FreezeSupplier(_Action, tag="freeze_supplier"):
    supplier: str
    frozen: bool = True
    first: dt.date | None = None
    last: dt.date | None = None


class ApproveDraft(_Action, tag="approve_draft"):
    draft: int
    set: DraftSet = "Drafts"
    add: bool = False


class RejectDraft(_Action, tag="reject_draft"):
    draft: int
    set: DraftSet = "Drafts"


class LockUser(_Action, tag="lock_user"):
    user: str
    locked: bool = True


class EndSessions(_Action, tag="end_sessions"):
    pass


Action = (
    Cancel | CloseOrder | Reconcile | LockPeriod | FreezeSupplier | ApproveDraft | RejectDraft | LockUser | EndSessions
)


def perform(row: dict[str, Any], books: Books, writes: Writes, sessions: Sessions) -> None:
    """Raises BadInput for an action that is unknown, Refused for one that the system does not allow."""
    try:
        action: Action = msgspec.convert(row, Action)
    except msgspec.ValidationError as error:
        raise BadInput(f"actions: {error}") from None
    match action:
        case Cancel(set_name, entry):
            writes.perform(set_name, _row(books, set_name, entry), "Cancel")
        case CloseOrder(entry):
            writes.perform("PurchaseOrders", _row(books, "PurchaseOrders", entry), "Close")
        case Reconcile(entry, amount):
            _reconcile(books, _row(books, "PurchaseInvoices", entry), amount)
        case LockPeriod(period, status):
            books.periods.edit({"PeriodCode": period, "PeriodStatus": status})
        case FreezeSupplier(supplier, frozen, first, last):
            partner = _row(books, "BusinessPartners", supplier)
            partner.update(Frozen="tYES" if frozen else "tNO", FrozenFrom=first, FrozenTo=last)
            books.touch(partner)
        case ApproveDraft(draft, set_name, add):
            writes.drafts.decide(set_name, draft, approved=True)
            if add:
                writes.drafts.save_to_document(set_name, draft)
        case RejectDraft(draft, set_name):
            writes.drafts.decide(set_name, draft, approved=False)
        case LockUser(user, locked):
            if user not in sessions.users:
                raise BadInput(f"actions: no user {user}")
            sessions.users[user].locked, sessions.users[user].wrong = locked, 0
        case EndSessions():
            sessions.end_all()


def _row(books: Books, set_name: str, key: str | int) -> Row:
    row = books.tables[set_name].get(key)
    if row is None:
        raise BadInput(f"actions: {set_name} has no {key}")
    return row


def _reconcile(books: Books, invoice: Row, amount: Decimal | None) -> None:
    """Settled by a journal entry within the vendor's account: the invoice closes, no payment shows."""
    due = balances.open_amount(invoice)
    part = due if amount is None else amount
    if not balances.is_open(invoice) or not ZERO < part <= due:
        raise BadInput(f"actions: {part} cannot be reconciled, {due} is open")
    local, vendor = balances.local_part(invoice, part), invoice["CardCode"]
    balances.settle_in_order(invoice, part, local, books.today())
    account = books.account_code(PAYABLES)
    bookings = [Booking(account, local, vendor), Booking(account, -local, vendor)]
    books.book("ttJournalEntry", 0, books.today(), "Reconciliation", bookings)
    books.bump(invoice)
