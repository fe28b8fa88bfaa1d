"""Approval of bills, as far as an integration sees it.

BILL attaches approvers only to bills that are sent with `billApprovals: true`, and asks them again only when
a change is sent with it too. Approvers act one after the other.
"""

from decimal import Decimal

from ml_connector.sandbox.bill.errors import Error, Refused, invalid, not_found
from ml_connector.sandbox.bill.ids import POLICY, USER
from ml_connector.sandbox.bill.reading import Reader, body_of, rows_of
from ml_connector.sandbox.bill.records import Books, Call
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

OPERATORS = ("eq", "gt", "gte", "lt", "lte")
ACTIONS = ("APPROVE", "DENY")
MOST_ACTIONS = 100


class Approvals:
    """Policies by amount, the approvers of a bill, and their actions."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._policies: dict[str, Row] = {}
        self._approver = books.ids.new(USER)

    def assign(self, bill: Row) -> None:
        """Gives the bill the approvers of the first policy that matches, all waiting anew; else none."""
        users = self._approvers_for(Decimal(bill["amount"]))
        if not users:
            bill.pop("approvers", None)
            bill["approvalStatus"] = "UNASSIGNED"
            return
        now = self._books.stamp()
        bill["approvalStatus"] = "ASSIGNED"
        bill["approvers"] = [
            {
                "userId": user,
                "status": "UPCOMING" if order else "WAITING",
                "approverOrder": order,
                "statusChangedTime": now,
            }
            for order, user in enumerate(users)
        ]

    def act(self, call: Call) -> Response:
        """`[{billId, action, comment}]`: the waiting approver of each bill approves or denies."""
        actions = []
        for number, body in enumerate(rows_of(call.request, MOST_ACTIONS)):
            reader = Reader(body, where=f"[{number}]")
            reader.text("billId", required=True)
            reader.choice("action", ACTIONS, required=True)
            reader.text("comment")
            actions.append(reader.done(self._books.options.unknown_property))
        pairs = [(self._waiting(action["billId"]), action["action"]) for action in actions]
        for (bill, approver), action in pairs:
            self._act(bill, approver, action)
        return Response.json({"status": "SUCCESS"})

    def pending(self, call: Call) -> Response:
        names = ("id", "vendorId", "amount", "dueDate")
        bills = [bill for bill in self._books.bills if bill["approvalStatus"] in {"ASSIGNED", "APPROVING"}]
        return Response.json({"bills": [{name: bill[name] for name in names if name in bill} for bill in bills]})

    def list_policies(self, call: Call) -> Response:
        return Response.json({"results": list(self._policies.values())})

    def create_policy(self, call: Call) -> Response:
        policy = {"id": self._books.ids.new(POLICY), **self._read_policy(call)}
        self._policies[policy["id"]] = policy
        return Response.json(policy, 201)

    def replace_policy(self, call: Call) -> Response:
        if call.ids[0] not in self._policies:
            raise not_found(call.ids[0])
        policy = self._policies[call.ids[0]] = {"id": call.ids[0], **self._read_policy(call)}
        return Response.json(policy)

    def delete_policy(self, call: Call) -> Response:
        if self._policies.pop(call.ids[0], None) is None:
            raise not_found(call.ids[0])
        return Response()

    def _approvers_for(self, amount: Decimal) -> list[str]:
        minimum = self._books.options.approval_minimum
        if minimum is not None and amount >= Decimal(str(minimum)):
            return [self._approver]
        for policy in self._policies.values():
            if all(_applies(rule, amount) for rule in policy["rules"]):
                return [user["userId"] for user in policy["approvers"]["users"]]
        return []

    def _waiting(self, identifier: str) -> tuple[Row, Row]:
        bill = self._books.bills.get(identifier)
        if bill is None:
            raise not_found(identifier)
        for approver in bill.get("approvers", ()):
            if approver["status"] == "WAITING":
                return bill, approver
        raise Refused(422, invalid(f"bill {identifier} waits for no approver."))

    def _act(self, bill: Row, approver: Row, action: str) -> None:
        now = self._books.stamp()
        approver |= {"status": "APPROVED" if action == "APPROVE" else "DENIED", "statusChangedTime": now}
        upcoming = [other for other in bill["approvers"] if other["status"] == "UPCOMING"]
        if action == "DENY":
            bill["approvalStatus"] = "DENIED"
        elif upcoming:
            upcoming[0] |= {"status": "WAITING", "statusChangedTime": now}
            bill["approvalStatus"] = "APPROVING"
        else:
            bill["approvalStatus"] = "APPROVED"
        bill["updatedTime"] = now

    def _read_policy(self, call: Call) -> Row:
        body = body_of(call.request)
        reader = Reader(body)
        reader.text("policyName", required=True)
        for rule in reader.rows("rules", required=True) or ():
            rule.choice("key", ("BILL_AMOUNT",), required=True)
            rule.choice("op", OPERATORS, required=True)
        policy = reader.done()
        for number, rule in enumerate(body["rules"]):
            values = rule.get("values")
            if not isinstance(values, list) or not values or not _is_number(values[0]):
                raise Refused(400, Error(f"rules[{number}].values: must name an amount"))
            policy["rules"][number]["values"] = [{"value": str(values[0])}]
        users = body.get("approvers")
        if not isinstance(users, list) or not users:
            raise Refused(400, Error("approvers: must not be empty"))
        return {**policy, "status": "ACTIVE", "approvers": {"users": [{"userId": str(user)} for user in users]}}


def _applies(rule: Row, amount: Decimal) -> bool:
    limit = Decimal(rule["values"][0]["value"])
    return {
        "eq": amount == limit,
        "gt": amount > limit,
        "gte": amount >= limit,
        "lt": amount < limit,
        "lte": amount <= limit,
    }[str(rule["op"])]


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False
