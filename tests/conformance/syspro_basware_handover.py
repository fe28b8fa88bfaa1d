"""What the harness of handed-over documents is told of SYSPRO <-> Basware."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ml_connector.sandbox
from ml_connector.conformance.crash import Ground, running_from
from ml_connector.conformance.crash.ground import Identity
from ml_connector.integrations.base import Side
from ml_connector.sync.models import Flow, Record, State
from ml_connector.workspaces.models import Workspace
from tests.sync.basware_pair import INVOICES, NOT_COPIED, BaswarePair
from tests.sync.pair import DATA, MONDAY

SUPPLIERS = ("ELC001", "PAK003", "HYD005")
ACCOUNTS = ("10-6100", "10-6200", "10-6300", "10-6400")
LATENCY = 0.005
"""Seconds that Basware takes to answer, in which a process can die."""
UNLIMITED = 60_000
_numbers = itertools.count(1)


@contextmanager
def opened(workspace: Workspace, rng: random.Random) -> Iterator[BaswarePair]:
    """Codes and suppliers are known, no document waits yet. Only approved invoices travel."""
    load = json.loads((DATA / "base_set.basware.json").read_text(), parse_float=Decimal)
    load["accountingDocuments"] = []
    with (
        ml_connector.sandbox.start("syspro", seed=1, options={"base_set": "basware"}) as syspro,
        ml_connector.sandbox.start("basware", seed=1, data=load, options={"latency": LATENCY}) as basware,
        running_from(MONDAY, {Side.ERP: syspro, Side.PLATFORM: basware}),
    ):
        settings = {"tax_account": "10-2250", "requests_per_minute": UNLIMITED}
        pair = BaswarePair(
            syspro,
            basware,
            workspace,
            {Side.ERP: {"cost_centre_source": "analysis(CC)"}, Side.PLATFORM: settings},
        )
        pair.integration.policies = {"settle_wait": 1}
        pair.integration.save()
        pair.map_codes()
        Flow.objects.of(workspace).exclude(name=INVOICES).update(paused=True)
        # They are known, which is all that is asked of them here.
        Record.objects.of(workspace).update(state=State.SKIPPED)
        yield pair


def approve(pair: BaswarePair, rng: random.Random) -> None:
    """An invoice is approved in P2P, coded to one to three accounts."""
    number = next(_numbers)
    amounts = [Decimal(rng.randint(100, 500_000)) / 100 for _ in range(rng.randint(1, 3))]
    coding = [
        {
            "externalCode": f"{number}-{row}",
            "rowIndex": row * 10,
            "accountCode": rng.choice(ACCOUNTS),
            "netTotal": amount,
        }
        for row, amount in enumerate(amounts)
    ]
    total = sum(amounts, Decimal(0))
    sums = dict.fromkeys(("netSum", "grossSum", "netSumCompany", "grossSumCompany"), total)
    pair.basware.edit(
        "accountingDocuments",
        {
            **_model(), **sums, "taxSum1": 0, "invoiceId": f"{number:032}", "invoiceNumber": f"INV-{number:05}",
            "supplierCode": rng.choice(SUPPLIERS), "codingRows": coding, "processingStatus": "WaitingForTransfer",
        },
    )  # fmt: skip


def _model() -> dict[str, Any]:
    """A domestic invoice of the base set."""
    rows = json.loads((DATA / "base_set.basware.json").read_text(), parse_float=Decimal)["accountingDocuments"]
    (row,) = [row for row in rows if row["invoiceNumber"] == "PK-502"]
    return {name: value for name, value in row.items() if name not in NOT_COPIED}


def owed(pair: BaswarePair) -> dict[Identity, str | None]:
    """By Basware: what was approved, and under which number it was told to be posted; how often it was told."""
    return {
        ("invoice", row["supplierCode"], row["invoiceNumber"]): _version(
            row["grossSum"],
            row.get("voucherNumber1", "nothing"),
            row["processingStatus"],
            len(row.get("transferResponses", [])),
        )
        for row in pair.basware.state("accountingDocuments")
    }


def there(pair: BaswarePair) -> Sequence[tuple[Identity, str | None]]:
    """By SYSPRO: what is posted, and under which number."""
    return [
        (
            ("invoice", row["Supplier"].strip(), row["Invoice"].strip()),
            _version(
                row["OrigInvValue"],
                f"{row['InvoiceYear']}-{row['InvoiceMonth']:02} {row['Journal']:05}-{row['EntryNumber']:03}",
                "Transferred",
                1,
            ),
        )
        for row in pair.posted()
    ]


def _version(amount: Any, voucher: str, status: str, answers: int) -> str:
    return f"{Decimal(str(amount)):.2f} as {voucher}, {status}, answered {answers} times"


SYSPRO_BASWARE = Ground(
    name="SYSPRO <-> Basware",
    open=opened,
    edits={"create": approve},
    owed=owed,
    there=there,
    writes=({"path": "*/transaction/post*", "contains": "<ValidateOnly>N"},),
    written=Side.ERP,
    told=(
        {"method": "POST", "path": "*/acknowledge"},
        {"method": "POST", "path": "*/transferResponses"},
    ),
)
