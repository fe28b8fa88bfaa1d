"""Changes of where a supplier's money goes: bank, remit-to, payment method (R52 to R54).

The systems give fingerprints, never values. A fingerprint that differs from the one before opens a Problem that holds
the supplier's documents and payments, in both directions, until one person has called the supplier back and another
one agrees. Nothing else ends it: not a change back, not that it holds nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from ml_connector import audit, clock
from ml_connector.domain.money import Money, from_units
from ml_connector.integrations.base import FlowKind, Side
from ml_connector.sync import approvals, problems
from ml_connector.sync.flows import declaration, document_flows, policy, side, spec_of
from ml_connector.sync.models import Flow, Integration, Link, Problem, ProblemState, Record, TargetEntry
from ml_connector.sync.problems import Cause
from ml_connector.systems import fingerprint
from ml_connector.systems.base import DocumentState

CAUSE = "bank_change"
SHARED = "bank_shared"
"""A new supplier is paid to the account of another one. It only reports."""

WORDS = {
    fingerprint.ACCOUNT: "bank account",
    fingerprint.PAYEE: "name of the payee",
    fingerprint.METHOD: "payment method",
    fingerprint.REMIT_TO: "address for payments",
    fingerprint.REMIT_EMAIL: "e-mail address for remittances",
}
_FIX = (
    "Call the supplier on a number that you knew before, not on one from the message that asked for the change, and"
    " release it with what you were told; a second person agrees. Neither of you may have entered the change. Until"
    " then its documents are not sent and its payments are not posted. Stop by hand what {platform} is about to pay."
)

_UNLINKED = "platform:"
"""Begins the subject where no supplier of the source is known to be the target's."""

Observed = tuple[str, str]
"""What a Record's source stated besides, before and now, as it is stored."""


class _Stated(msgspec.Struct):
    bank_fingerprint: str = ""


class _Named(msgspec.Struct):
    name: str = ""


_STATED = msgspec.json.Decoder(_Stated)
_NAMED = msgspec.json.Decoder(_Named)


def watches(flow: Flow) -> bool:
    """Whether the Flow's Records say where money goes."""
    return spec_of(flow).record_type == "supplier"


def notice(trail: audit.Trail, flow: Flow, observed: Mapping[str, Observed]) -> None:
    """Opens a Problem for each supplier whose fingerprint is another one now. To be called in the transaction that
    stores the new one: it is seen once."""
    changed = {key: parts for key, (before, now) in observed.items() if (parts := _changed(before, now))}
    if not changed:
        return
    spec, page = spec_of(flow), declaration(flow.integration)
    known = _suppliers_of(flow, changed)
    for key, parts in sorted(changed.items()):
        subject = known.get(key) or f"{_UNLINKED}{key}"
        _quarantine(trail, flow, subject, key, {
            "side": page.system(spec.source).label,
            "source": spec.kind is FlowKind.DOCUMENTS,
            "parts": [name for name in WORDS if name in parts],
            "seen": clock.now().isoformat(timespec="minutes"),
        })  # fmt: skip


def notice_new(trail: audit.Trail, flow: Flow, observed: Mapping[str, str]) -> None:
    """Reports new suppliers that are paid to an account that another one of the same system has already."""
    accounts = {key: account for key, text in observed.items() if (account := _account(text))}
    if not accounts or flow.last_success_at is None:
        return
    others: dict[str, list[str]] = {}
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False, observed__contains="bank_fingerprint")
    for key, text in rows.values_list("key", "observed").iterator():
        account = _account(text)
        if account:
            others.setdefault(account, []).append(key)
    label = declaration(flow.integration).system(spec_of(flow).source).label
    for key, account in sorted(accounts.items()):
        twins = [other for other in others[account] if other != key]
        if twins:
            _shared(trail, flow, key, twins, label)


def held(integration: Integration) -> dict[str, Problem]:
    """The open changes, by the source's key of the supplier; of one that no supplier had when it was seen, by the key
    of the supplier that is linked to it now."""
    rows = Problem.objects.of(integration.workspace_id).filter(
        integration=integration, cause=CAUSE, state=ProblemState.OPEN
    )
    found = {problem.subject: problem for problem in rows}
    theirs = {subject.removeprefix(_UNLINKED): subject for subject in found if subject.startswith(_UNLINKED)}
    if theirs:
        links = Link.objects.of(integration.workspace_id).filter(integration=integration, type="supplier")
        for target, source in links.filter(target_key__in=theirs).values_list("target_key", "source_key"):
            found.setdefault(source, found[theirs[target]])
    return found


def cause_of(problem: Problem) -> Cause:
    """What holds a Record whose supplier has an open change."""
    return Cause(CAUSE, problem.subject, problem.text, problem.fix, detail=problem.detail)


def entered_in_source(problem: Problem) -> bool:
    """Whether the change was made where suppliers come from: then the supplier itself waits too, because its address
    may be what was changed."""
    return any(change["source"] for change in problem.detail["changes"])


def _changed(before: str, now: str) -> set[str]:
    """Names of the parts that both state and that differ."""
    ours, theirs = _parts(before), _parts(now)
    return {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]}


def _parts(observed: str) -> dict[str, str]:
    return fingerprint.parts_of(_STATED.decode(observed).bank_fingerprint) if observed else {}


def _account(observed: str) -> str:
    """The account's part, empty where none was entered."""
    account = _parts(observed).get(fingerprint.ACCOUNT, fingerprint.NOTHING)
    return "" if account == fingerprint.NOTHING else account


def _suppliers_of(flow: Flow, keys: Iterable[str]) -> dict[str, str]:
    """The keys of the Flow's Records, and those of the suppliers that they are in the source."""
    if spec_of(flow).kind is FlowKind.DOCUMENTS:
        return {key: key for key in keys}
    rows = Link.objects.of(flow.workspace_id).filter(integration=flow.integration, type="supplier")
    return dict(rows.filter(target_key__in=list(keys)).values_list("target_key", "source_key"))


def _quarantine(trail: audit.Trail, flow: Flow, subject: str, key: str, change: dict[str, Any]) -> None:
    before = held(flow.integration).get(subject)
    changes = [*(before.detail["changes"] if before else ()), change]
    page = declaration(flow.integration)
    problem = problems.open_problem(
        trail,
        flow.integration,
        Cause(
            CAUSE,
            subject,
            " ".join([_headline(flow, key, changes), *_near(flow.integration, subject)]),
            _FIX.format(platform=page.system(Side.PLATFORM).label),
            detail={"changes": changes},
        ),
        flow,
    )
    # What was confirmed on the telephone was not this change.
    approvals.lapse(trail, approvals.waiting_about(flow.workspace_id, f"problem:{problem.pk}"))
    trail.add("bank_change", f"problem:{problem.pk}", supplier=subject, parts=change["parts"], side=change["side"])


def _headline(flow: Flow, key: str, changes: Iterable[Mapping[str, Any]]) -> str:
    named = _named(flow, key)
    said = [
        f"{_listed([f'the {WORDS[name]}' for name in change['parts']])} changed in {change['side']}"
        f" (seen {change['seen'].replace('T', ' ').removesuffix('+00:00')} UTC)"
        for change in changes
    ]
    return f"Supplier {named}: {'; '.join(said)}. The values are not shown."


def _near(integration: Integration, subject: str) -> list[str]:
    """What the platform may be about to pay, as a sentence; none where nothing is open there."""
    link = Link.objects.of(integration.workspace_id).filter(
        integration=integration, type="supplier", source_key=subject
    )
    vendor = link.values_list("target_key", flat=True).first()
    if vendor is None:
        return []
    flows = document_flows(integration, "invoice")
    if not flows:
        return []
    label = declaration(integration).system(Side.PLATFORM).label
    rows = TargetEntry.objects.of(integration.workspace_id).filter(
        connection=side(integration, Side.PLATFORM), type="invoice", supplier=vendor
    )
    ours = dict(
        Link.objects.of(integration.workspace_id)
        .filter(integration=integration, type="invoice")
        .values_list("target_key", "source_key")
    )
    due = dict(
        Record.objects.of(integration.workspace_id)
        .filter(flow__in=flows, key__in=[ours[row.key] for row in rows if row.key in ours])
        .values_list("key", "due_date")
    )
    soon = clock.now().date() + timedelta(days=int(policy(flows[0], "bank_change_days")))
    totals: dict[str, int] = {}
    count = near = 0
    for row in rows:
        left = row.open if row.open is not None else row.amount or 0
        if row.state in {DocumentState.ARCHIVED, DocumentState.PAID} or left <= 0:
            continue
        count += 1
        totals[row.currency] = totals.get(row.currency, 0) + left
        day = due.get(ours.get(row.key, ""))
        near += row.state == DocumentState.SCHEDULED or day is None or day <= soon
    if not count:
        return []
    money = _listed([str(Money(from_units(units, currency), currency)) for currency, units in sorted(totals.items())])
    when = f", {near} of them scheduled or due by {soon}" if near else ""
    return [f"In {label} {count} of its bills over {money} {'is' if count == 1 else 'are'} open{when}."]


def _shared(trail: audit.Trail, flow: Flow, key: str, twins: list[str], label: str) -> None:
    record = Record.objects.of(flow.workspace_id).select_related("flow").get(flow=flow, key=key)
    names = _listed([_named(flow, twin) for twin in sorted(twins)[:3]])
    cause = Cause(
        SHARED,
        f"{spec_of(flow).source.value}:{key}",
        f"New supplier {_named(flow, key)} in {label} is paid to the same bank account as {names}.",
        f"Call both back before anything is paid. Merge or archive the one in {label} that should not be there; if both"
        " are right, mark it as handled.",
        blocks=False,
        detail={"twins": sorted(twins)},
    )
    problems.report(trail, flow, record, cause)


def _named(flow: Flow, key: str) -> str:
    row = Record.objects.of(flow.workspace_id).filter(flow=flow, key=key).values_list("number", "payload").first()
    if row is None:
        return key
    name = _NAMED.decode(bytes(row[1])).name
    return f"{row[0] or key} ({name})" if name else row[0] or key


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
