"""What an answer, or its absence, makes of an Attempt and its Record.

Each function runs inside the transaction that stores the outcome. The Link is written there and nowhere later, so
that no later step can lose it (R2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F

from ml_connector import audit, clock
from ml_connector.redaction import HIDDEN, redacted
from ml_connector.sync import cycles, mirroring, problems, refusals, uses
from ml_connector.sync.backoff import after
from ml_connector.sync.flows import declaration, policy, spec_of
from ml_connector.sync.links import UNKNOWN_VENDOR, unknown_vendor
from ml_connector.sync.models import Attempt, Flow, Link, Operation, Outcome, Record, State
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import NoLonger, Refused, Remark

TOLD_AFTER = 10
"""Failures in a row about one Record, most of an hour, after which people are told."""
UNANSWERED = "unanswered"
"""The cause of the Problem that tells them. It holds nothing back."""

PARENT_CAUSES = ("parent_not_confirmed", "credit_without_invoice")


@dataclass(frozen=True, slots=True)
class Done:
    """What an Attempt led to in the target."""

    record: Record
    attempt: Attempt
    target_key: str
    lines: Sequence[str] = ()
    vouchers: Sequence[str] = ()


def confirmed(trail: audit.Trail, flow: Flow, done: Sequence[Done], *, found: bool = False) -> None:
    """The target holds what the Attempts sent. Links, and stages again where the source has moved on meanwhile."""
    _link_all(trail, flow, done, made_by="found" if found else "delivered")
    for one in done:
        close(trail, one.attempt, Outcome.ADOPTED if found else Outcome.CONFIRMED, target_key=one.target_key)
        uses.count(flow.integration, one.attempt)
    cancelled = {one.record.pk for one in done if one.attempt.operation == Operation.CANCEL}
    for one in done if cycles.cycles(flow) else ():
        if one.record.pk in cancelled:
            cycles.end(trail, flow, one.record, one.target_key)
    settle_records(trail, [(one.record, bytes(one.attempt.source_hash)) for one in done], cancelled=cancelled)


def settle_records(
    trail: audit.Trail, sent: Sequence[tuple[Record, bytes]], *, cancelled: Collection[int] = ()
) -> None:
    """Each Record is confirmed in the version that was sent, given by its hash; a newer one is staged again at once,
    and so is one that vanished from the source meanwhile, unless it was `cancelled` (ids)."""
    records = [record for record, _ in sent]
    if not records:
        return
    _refresh(records)
    as_sent = []
    for record, sent_hash in sent:
        newest = bytes(record.hash) == sent_hash and (record.pk in cancelled or not record.gone)
        _answered(trail, record)
        record.sent_hash = None if record.gone else sent_hash
        record.state = State.CONFIRMED if newest else State.STAGED
        record.tries, record.next_attempt_at, record.reason = 0, None, ""
        if newest and not record.gone:
            as_sent.append(record.pk)
        else:
            record.save(update_fields=["sent_hash", "state", "tries", "next_attempt_at", "reason"])
    Record.objects.of(records[0].workspace_id).filter(pk__in=as_sent).update(
        sent_hash=F("hash"), state=State.CONFIRMED, tries=0, next_attempt_at=None, reason=""
    )
    held = problems.holding(records)
    for record, sent_hash in sent:
        if record.pk in held:
            problems.let_go(trail, record)
        trail.add("decision", f"record:{record.pk}", source_version=sent_hash.hex(), state=record.state)


def _refresh(records: Sequence[Record]) -> None:
    """What the source has staged meanwhile; nothing more of it until the outcome is committed."""
    locked = Record.objects.of(records[0].workspace_id).select_for_update().order_by("pk")
    rows = locked.filter(pk__in=[record.pk for record in records]).values_list("pk", "hash", "gone")
    now = {pk: (digest, gone) for pk, digest, gone in rows}
    for record in records:
        record.hash, record.gone = now[record.pk]


def _overtaken(record: Record, attempt: Attempt) -> bool:
    """Whether a newer version was staged, or the source lost it, while the Attempt was under way: that is judged,
    not the old version (R55)."""
    _refresh([record])
    lost = record.gone and attempt.operation != Operation.CANCEL
    if bytes(record.hash) == bytes(attempt.source_hash) and not lost:
        return False
    record.state, record.next_attempt_at = State.STAGED, None
    record.save(update_fields=["state", "next_attempt_at"])
    return True


def link(
    trail: audit.Trail,
    flow: Flow,
    record: Record,
    target_key: str,
    lines: Sequence[str],
    made_by: str,
    vouchers: Sequence[str] = (),
) -> Link:
    """The Link of a Record; made when there is none, its lines brought up to date when there is."""
    row, made = Link.objects.of(flow.workspace_id).get_or_create(
        integration=flow.integration,
        type=spec_of(flow).link_type,
        source_key=record.key,
        defaults={
            "workspace_id": flow.workspace_id,
            "target_key": target_key,
            "lines": list(lines),
            "vouchers": list(vouchers),
            "made_by": made_by,
            "made_at": clock.now(),
        },
    )
    if made:
        _note_links(trail, flow, {record.pk: row})
    elif (lines and row.lines != list(lines)) or (vouchers and row.vouchers != list(vouchers)):
        row.lines, row.vouchers = list(lines) or row.lines, list(vouchers) or row.vouchers
        row.save(update_fields=["lines", "vouchers"])
    return row


def _link_all(trail: audit.Trail, flow: Flow, done: Sequence[Done], made_by: str) -> None:
    """The Links of these Records; those that are missing are made together."""
    known = Link.objects.of(flow.workspace_id).filter(
        integration=flow.integration, type=spec_of(flow).link_type, source_key__in=[one.record.key for one in done]
    )
    linked, now = set(known.values_list("source_key", flat=True)), clock.now()
    new = {
        one.record.pk: Link(
            workspace_id=flow.workspace_id,
            integration=flow.integration,
            type=spec_of(flow).link_type,
            source_key=one.record.key,
            target_key=one.target_key,
            lines=list(one.lines),
            vouchers=list(one.vouchers),
            made_by=made_by,
            made_at=now,
        )
        for one in done
        if one.record.key not in linked
    }
    try:
        with transaction.atomic():
            Link.objects.bulk_create(new.values())
    except IntegrityError:  # somebody else has just made one of them
        new = {}
    _note_links(trail, flow, new)
    for one in done:
        if one.record.pk not in new:
            link(trail, flow, one.record, one.target_key, one.lines, made_by, one.vouchers)


def _note_links(trail: audit.Trail, flow: Flow, made: Mapping[int, Link]) -> None:
    """New Links, by the Record's id: what waited for one of them is judged again."""
    subjects = []
    for record_id, row in made.items():
        trail.add("link", f"record:{record_id}", target_key=row.target_key, made_by=row.made_by)
        subjects += [row.source_key, f"{row.type}:{row.source_key}"]
    if subjects:
        problems.recheck(flow.integration, PARENT_CAUSES, subjects)
        if not cycles.cycles(flow):
            problems.recheck(flow.integration, ("payment_unmatched",))
    for row in made.values():
        mirroring.link_back(trail, flow.integration, row)
        if row.type == "supplier":
            problems.end_problem(trail, flow.integration, UNKNOWN_VENDOR, subject=unknown_vendor(row.target_key))


def close(
    trail: audit.Trail,
    attempt: Attempt,
    outcome: Outcome,
    *,
    target_key: str = "",
    code: str = "",
    text: str = "",
) -> None:
    attempt.outcome, attempt.answered_at = outcome, clock.now()
    attempt.target_key = target_key or attempt.target_key
    attempt.error_code, attempt.error_text = code, redacted(_without_tax_id(text, attempt))
    attempt.save(update_fields=["outcome", "answered_at", "target_key", "error_code", "error_text"])
    trail.add(
        "outcome",
        f"record:{attempt.record_id}",
        source_version=bytes(attempt.source_hash).hex(),
        attempt=attempt.pk,
        operation=attempt.operation,
        outcome=str(outcome),
        target_key=attempt.target_key,
        code=code,
    )


def _without_tax_id(text: str, attempt: Attempt) -> str:
    """A target's words, which people are shown, without the tax id should it echo the one that was sent (R71)."""
    sent = msgspec.json.decode(bytes(attempt.request), type=_TaxId).tax_id
    return text.replace(sent, HIDDEN) if sent else text


class _TaxId(msgspec.Struct):
    tax_id: str = ""


def in_doubt(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, text: str) -> None:
    """The write may have happened. The target is searched at once; 'not found' counts after the settling time."""
    close(trail, attempt, Outcome.UNKNOWN, text=text)
    record.state, record.next_attempt_at = State.IN_DOUBT, clock.now()
    record.save(update_fields=["state", "next_attempt_at"])


def not_done(
    trail: audit.Trail, record: Record, attempt: Attempt, text: str, *, wait: float = 0, failed: bool = False
) -> None:
    """The write is known not to have happened: the Record is ready again, now or after `wait` seconds.

    `failed` counts a try; a throttle and an unsent request do not (R59).
    """
    close(trail, attempt, Outcome.NOT_DONE, text=text)
    record.tries += failed
    record.state = State.READY
    record.next_attempt_at = clock.now() + timedelta(seconds=wait or (after(record.tries) if failed else 0))
    record.save(update_fields=["state", "tries", "next_attempt_at"])
    if failed:
        _tell_if_long(trail, record, text)


def put_off(trail: audit.Trail, record: Record, text: str) -> None:
    """Nobody could say what became of a Record in doubt: it is looked for again later, and others go on."""
    record.tries += 1
    record.next_attempt_at = clock.now() + timedelta(seconds=after(record.tries))
    record.save(update_fields=["tries", "next_attempt_at"])
    _tell_if_long(trail, record, text)


def _tell_if_long(trail: audit.Trail, record: Record, text: str) -> None:
    if record.tries < TOLD_AFTER:
        return
    label = declaration(record.flow.integration).system(spec_of(record.flow).target).label
    cause = Cause(
        UNANSWERED,
        problems.subject_of(record.flow, record),
        f"{record.number or record.key}: {label} gave no definite answer {TOLD_AFTER} times in a row. It said: {text}",
        f"It is tried again by itself, every half hour. Look it up in {label}, or ask its support.",
        blocks=False,
    )
    problems.report(trail, record.flow, record, cause)


def _answered(trail: audit.Trail, record: Record) -> None:
    """What was said of a Record that got no definite answer is over."""
    if record.tries >= TOLD_AFTER:
        subject = problems.subject_of(record.flow, record)
        problems.end_problem(trail, record.flow.integration, UNANSWERED, subject)


def refused(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, error: Refused) -> None:
    """The target says no: a Problem, and no blind repeat (R63). 'No longer' leaves the Record confirmed."""
    said = _without_tax_id(str(error), attempt)
    close(trail, attempt, Outcome.REFUSED, code=error.code, text=said)
    _answered(trail, record)
    if _overtaken(record, attempt):
        return
    if attempt.operation != Operation.CREATE and isinstance(error, NoLonger):
        cancelled = attempt.operation == Operation.CANCEL
        cause = Cause(
            "void_after_payment" if cancelled else "edit_after_posting",
            record.key,
            f"{record.number}: {said}",
            "Settle the difference in the target by hand, then accept it here with a reason.",
            blocks=False,
            detail={"code": error.code},
        )
        problems.report(trail, flow, record, cause)
        record.state, record.next_attempt_at = State.CONFIRMED, None
        record.save(update_fields=["state", "next_attempt_at"])
        return
    problems.hold(trail, flow, record, [refusals.cause_of(flow, record, attempt, error, said)])


def remarked(trail: audit.Trail, flow: Flow, record: Record, remark: Remark) -> None:
    """What a target said of a write that took effect: the Record stays confirmed, and people are told."""
    text = remark.text if record.number in remark.text else f"{record.number}: {remark.text}"
    problems.report(trail, flow, record, Cause(remark.cause, record.key, text, remark.fix, blocks=False))


def conflict(
    trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, fields: Sequence[str], *, known: bool
) -> None:
    """Both sides changed the same fields: never last-writer-wins by accident (R45). Not `known`: what was last sent is
    no longer kept, so that nobody can tell whether the target was edited since."""
    names = ", ".join(fields)
    text = f"Edited in the target too: {names}." if known else f"Perhaps edited in the target too: {names}."
    close(trail, attempt, Outcome.NOT_DONE, text=text)
    if _overtaken(record, attempt):
        return
    if known:
        what = f"{record.number}: {names} changed in the target after our last write, and the source says otherwise."
    else:
        what = (
            f"{record.number}: in {names} the source says otherwise than the target. What was last sent is no longer"
            " kept, so it cannot be told whether somebody edited it in the target."
        )
    cause = Cause(
        "conflict",
        problems.subject_of(flow, record),
        what,
        "Retry to overwrite the target with the source's values, or skip to leave the target as it is.",
        detail={"fields": list(fields)},
    )
    problems.hold(trail, flow, record, [cause])


def found_cancelled(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, target_key: str) -> None:
    """What a lost answer had created was cancelled since: it is ours, and is not taken for what the source says."""
    close(trail, attempt, Outcome.ADOPTED, target_key=target_key, text="Found, but cancelled there.")
    if _overtaken(record, attempt):
        cycles.end(trail, flow, record, target_key)
    else:
        cancelled_by_others(trail, flow, record, target_key)


def cancelled_by_others(trail: audit.Trail, flow: Flow, record: Record, target_key: str) -> None:
    """People cancelled in the target what the source still says is paid: a person decides whether it is made again."""
    cycles.end(trail, flow, record, target_key)
    page, spec = declaration(flow.integration), spec_of(flow)
    label = page.system(spec.target).label
    cause = Cause(
        "payment_cancelled",
        record.key,
        f"Payment {record.key} ({record.number}) was posted in {label} as {target_key}, and cancelled there by"
        f" somebody, while {page.system(spec.source).label} says that it is paid.",
        "Retry to post it once more, or skip it with a reason where it was cancelled on purpose.",
        detail={"target_key": target_key},
    )
    problems.hold(trail, flow, record, [cause])


def report_gone(trail: audit.Trail, flow: Flow, record: Record) -> None:
    """The target holds what is no longer in the source; people look into it (R18)."""
    cause = Cause(
        "sweep_missing",
        record.key,
        f"{record.number or record.key} is no longer in the source, but is in the target.",
        "See why it was removed; archive it in the target if it should go, then accept this with a reason.",
        blocks=False,
    )
    problems.report(trail, flow, record, cause)


def left_alone(trail: audit.Trail, flow: Flow, record: Record) -> None:
    """A Record that is gone from the source stays in the target as it is, and is reported."""
    problems.let_go(trail, record)
    record.sent_hash, record.state, record.reason, record.next_attempt_at = None, State.CONFIRMED, "", None
    record.save(update_fields=["sent_hash", "state", "reason", "next_attempt_at"])
    trail.add("decision", f"record:{record.pk}", state=record.state, reason="gone from the source")
    report_gone(trail, flow, record)


def settle_wait(flow: Flow) -> timedelta:
    """How long after a lost answer 'not found' does not count yet (R4)."""
    return timedelta(seconds=int(policy(flow, "settle_wait")))
