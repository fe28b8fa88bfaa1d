"""BILL's identifiers: 20 characters, case-sensitive, whose first three tell the kind of object."""

import random
import string

VENDOR, BILL, BILL_LINE, BILL_PAY, PAYMENT, APPROVER = "009", "00n", "bli", "blp", "stp", "0ba"
ACCOUNT, CLASS, DEPARTMENT, LOCATION, JOB, ITEM, EMPLOYEE = "0ca", "cls", "0de", "loc", "job", "0ii", "emp"
CREDIT, CREDIT_LINE, USER, ORGANISATION, BANK_ACCOUNT, POLICY = "vcr", "vcl", "006", "008", "bac", "bap"


class Ids:
    """New identifiers; the same seed gives the same ones in the same order, kind by kind."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sources: dict[str, random.Random] = {}

    def new(self, prefix: str) -> str:
        source = self.source(prefix)
        letters = "".join(source.choices(string.ascii_uppercase, k=10))
        tail = "".join(source.choices(string.ascii_lowercase + string.digits, k=5))
        return f"{prefix}02{letters}{tail}"

    def hex(self, kind: str, length: int = 32) -> str:
        """A hexadecimal token, for sessions, subscriptions and events."""
        return f"{self.source(kind).getrandbits(4 * length):0{length}x}"

    def uuid(self, kind: str) -> str:
        digits = self.hex(kind)
        return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))

    def source(self, kind: str) -> random.Random:
        if kind not in self._sources:
            self._sources[kind] = random.Random(f"bill:{self._seed}:{kind}")
        return self._sources[kind]
