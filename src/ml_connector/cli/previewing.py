"""sync --dry-run: what a sync would do now, by record type and by cause."""

from __future__ import annotations

from ml_connector.cli import choose
from ml_connector.cli.output import failed, money, print_json, say, showing, table, warn
from ml_connector.sync.leases import LeaseLost, LeaseTaken
from ml_connector.sync.models import Integration
from ml_connector.sync.preview import Preview, PreviewFailed, preview
from ml_connector.sync.queries.foreseen import FlowForeseen, Tally

COLUMNS = ("created", "updated", "cancelled", "found", "skipped", "blocked")


def show(integration: Integration, *, as_json: bool) -> None:
    try:
        with showing("looking") as status:
            found = preview(integration, choose.actor(), status)
    except PreviewFailed as reason:
        failed(str(reason))
    except (LeaseTaken, LeaseLost) as taken:
        failed(f"{taken} Try again in a minute. Nothing was written.")
    if as_json:
        print_json(found)
        return
    _tables(found)
    for text in found.warnings:
        warn(text)
    say("Nothing was written or stored. What the target itself may refuse is not known before it is asked.", "dim")


def _tables(found: Preview) -> None:
    rows = [
        (flow.flow, flow.read, *(getattr(flow, column).records for column in COLUMNS), money(_sent(flow).amount),
         money(flow.blocked.amount))
        for flow in found.flows
    ]  # fmt: skip
    columns = ("flow", ">read", *(f">{column}" for column in COLUMNS), "sum to send", "sum blocked")
    table(f"A sync of {found.integration} would now", columns, rows)
    for flow in found.flows:
        for held in flow.causes:
            amount = f", {money(held.tally.amount)}" if held.tally.amount else ""
            say(f"{flow.flow} blocked by {held.cause}: {held.tally.records}{amount}", "yellow")
            for example in held.examples:
                say(f"  {example.text}")
        for left in flow.reasons:
            say(f"{flow.flow} skipped: {left.tally.records}. {left.reason}", "dim")


def _sent(flow: FlowForeseen) -> Tally:
    """What a request would be made for."""
    amount = dict(flow.created.amount)
    for currency, more in flow.updated.amount.items():
        amount[currency] = amount.get(currency, more - more) + more
    return Tally(flow.created.records + flow.updated.records, amount)
