"""The states of requisitions, orders, their lines, bills and payments, as the API counts them."""

PENDING, APPROVED, DENIED, PURCHASED = range(4)
"""Requisitions."""

ORDERED, CANCELLED, CLOSED, PAID, REOPENED = 0, 1, 3, 4, 5
"""Orders."""
OPEN = frozenset({ORDERED, REOPENED})

LINE_WAITS, LINE_RECEIVABLE, LINE_CANCELLED, LINE_RECEIVED_IN_PART, LINE_FULFILLED, LINE_DENIED = 0, 2, 4, 5, 6, 7
"""Lines of orders."""

BILL_DRAFT, BILL_SUBMITTED, BILL_APPROVED, BILL_DENIED, BILL_PAID, BILL_WITHDRAWN = range(6)
"""Bills."""

PAYMENTS = {
    "draft": 0,
    "pending_approval": 1,
    "approved": 2,
    "denied": 3,
    "paid": 5,
    "processing": 7,
    "failed": 8,
    "scheduled": 9,
}
"""Payments, and how the old list counts them."""
