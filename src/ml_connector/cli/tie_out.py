"""tie-out: do the two sides agree on what is owed, and if not, why."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import (
    WITH_PROBLEMS,
    JsonFlag,
    money,
    print_json,
    say,
    shown,
    table,
    warn,
    wrong_usage,
)
from ml_connector.cli.syncing import IntegrationName
from ml_connector.sync.clearing import Statement
from ml_connector.sync.tieout import Row, TieOut
from ml_connector.sync.tieout import tie_out as compare


def tie_out(
    integration: IntegrationName,
    *,
    period: Annotated[
        str | None, typer.Option("--period", metavar="YYYY-MM", help="Leave out what was posted after this month.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Open balances of both sides as last read, per supplier and currency, each difference with its reason.

    Status 1 when a difference has no explanation.
    """
    chosen = choose.integration(choose.workspace(workspace), integration)
    try:
        found = compare(chosen, period)
    except ValueError as error:
        wrong_usage(str(error))
    if as_json:
        print_json(found.to_json())
    else:
        show(found)
    if found.unexplained:
        raise typer.Exit(WITH_PROBLEMS)


def show(found: TieOut) -> None:
    """The tie-out as a table, then each difference as a sentence."""
    for label, instant in ((found.source, found.source_read_at), (found.target, found.target_read_at)):
        if instant is None:
            warn(f"{label} was never read completely; run a sync first.")
        else:
            say(f"{label} as read {shown(instant)}", "dim")
    say("")
    _table(found, found.rows)
    for total in found.totals:
        reasons = ", ".join(
            f"{reason.value.replace('_', ' ')} {amount:,}" for reason, amount in sorted(total.by_reason.items())
        )
        say(
            f"{total.currency}: {found.source} {total.source:,} - {found.target} {total.target:,} ="
            f" {total.difference:,}{f': {reasons}' if reasons else ''}",
            "bold",
        )
    lines = [(row, line) for row in found.rows for line in row.lines]
    if lines:
        say("")
        columns = ("supplier", "document", "cur", ">difference", ">problem", "reason")
        table("", columns, ((r.supplier, n.number, r.currency, n.amount, n.problem, n.text) for r, n in lines))
    if found.only_in_target:
        say(f"\nSuppliers that only {found.target} knows, in no total:")
        _table(found, found.only_in_target)
    if found.clearing:
        _clearing(found, found.clearing)
    if found.unexplained:
        say(f"\nNot explained: {money(found.unexplained)}.", "red")
    else:
        say("\nEvery difference is explained.", "green")


def _clearing(found: TieOut, one: Statement) -> None:
    say(f"\nClearing account {one.account} {one.name}, {one.currency}, as read {shown(one.read_at)}:")
    rows = [
        (f"paid by {found.target}", one.paid),
        (f"not posted in {found.source} yet", one.to_post),
        (f"posted in {found.source}", one.posted),
        ("balance of the account", one.balance),
        ("booked on it besides (the bank's debits, an opening balance)", one.others),
    ]
    if one.left_out:
        rows.insert(2, ("not posted, by a rule or a decision", one.left_out))
    if one.to_cancel:
        rows.insert(2, ("taken back, and still posted", one.to_cancel))
    table("", ("", f">{one.currency}"), rows)
    if one.unvalued:
        warn(f"{one.unvalued} payments in a foreign currency are in no sum: what was drawn for them is not said.")


def _table(found: TieOut, rows: tuple[Row, ...]) -> None:
    columns = ("supplier", "name", "cur", f">{found.source}", f">{found.target}", ">difference")
    table("", columns, ((r.supplier, r.name, r.currency, r.source, r.target, r.difference) for r in rows))
