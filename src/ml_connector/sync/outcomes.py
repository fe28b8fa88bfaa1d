"""What an answer, or its absence, makes of an Attempt and its Record.

Each function runs inside the transaction that stores the outcome. The Link is written there and nowhere later, so
that no later step can lose it (R2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from ml_connector import audit, clock
from ml_connector.redaction import HIDDEN, redacted
from ml_connector.sync import problems, uses
from ml_connector.sync.backoff import after
from ml_connector.sync.flows import policy, spec_of
from ml_connector.sync.models import Attempt, Flow, Link, Operation, Outcome, Record, State
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import NoLonger, Refused

PARENT_CAUSES = ("parent_not_confirmed", "credit_without_invoice")


def confirmed(
    trail: audit.Trail,
    flow: Flow,
    record: Record,
    attempt: Attempt,
    *,
    target_key: str,
    lines: Sequence[str] = (),
    found: bool = False,
) -> None:
    """The target holds what the Attempt sent. Links, and stages again where the source has moved on meanwhile."""
    link(trail, flow, record, target_key, lines, made_by="found" if found else "delivered")
    close(trail, attempt, Outcome.ADOPTED if found else Outcome.CONFIRMED, target_key=target_key)
    uses.count(flow.integration, attempt)
    settle_record(trail, record, bytes(attempt.source_hash), cancelled=attempt.operation == Operation.CANCEL)


def settle_record(trail: audit.Trail, record: Record, sent_hash: bytes, *, cancelled: bool = False) -> None:
    """The Record is confirmed in the version that was sent; a newer one is staged again at once, and so is one that
    vanished from the source meanwhile."""
    _refresh(record)
    record.sent_hash = None if record.gone else sent_hash
    newest = bytes(record.hash) == sent_hash and (cancelled or not record.gone)
    record.state = State.CONFIRMED if newest else State.STAGED
    record.tries, record.next_attempt_at, record.reason = 0, None, ""
    record.save(update_fields=["sent_hash", "state", "tries", "next_attempt_at", "reason"])
    problems.let_go(trail, record)
    trail.add("decision", f"record:{record.pk}", source_version=sent_hash.hex(), state=record.state)


def _refresh(record: Record) -> None:
    """What the source has staged meanwhile; nothing more of it until the outcome is committed."""
    locked = Record.objects.of(record.workspace_id).select_for_update()
    record.refresh_from_db(fields=["hash", "gone"], from_queryset=locked)


def _overtaken(record: Record, attempt: Attempt) -> bool:
    """Whether a newer version was staged, or the source lost it, while the Attempt was under way: that is judged,
    not the old version (R55)."""
    _refresh(record)
    lost = record.gone and attempt.operation != Operation.CANCEL
    if bytes(record.hash) == bytes(attempt.source_hash) and not lost:
        return False
    record.state, record.next_attempt_at = State.STAGED, None
    record.save(update_fields=["state", "next_attempt_at"])
    return True


def link(trail: audit.Trail, flow: Flow, record: Record, target_key: str, lines: Sequence[str], made_by: str) -> Link:
    """The Link of a Record; made when there is none, its lines brought up to date when there is."""
    row, made = Link.objects.of(flow.workspace_id).get_or_create(
        integration=flow.integration,
        type=spec_of(flow).link_type,
        source_key=record.key,
        defaults={
            "workspace_id": flow.workspace_id,
            "target_key": target_key,
            "lines": list(lines),
            "made_by": made_by,
            "made_at": clock.now(),
        },
    )
    if made:
        trail.add("link", f"record:{record.pk}", target_key=target_key, made_by=made_by)
        problems.recheck(flow.integration, PARENT_CAUSES, [row.source_key, f"{row.type}:{row.source_key}"])
    elif lines and row.lines != list(lines):
        row.lines = list(lines)
        row.save(update_fields=["lines"])
    return row


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


def refused(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, error: Refused) -> None:
    """The target says no: a Problem, and no blind repeat (R63). 'No longer' leaves the Record confirmed."""
    said = _without_tax_id(str(error), attempt)
    close(trail, attempt, Outcome.REFUSED, code=error.code, text=said)
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
    named = error.code if error.code in {"number_too_long", "field_too_long"} else ""
    cause = Cause(
        named or "refused_by_target",
        record.key,
        said if record.number in said else f"{record.number}: {said}",
        "Correct it in the source: the new version is sent by itself. Or retry once the target takes it.",
        detail={"code": error.code, "field": error.field or ""},
    )
    problems.hold(trail, flow, record, [cause])


def conflict(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, fields: Sequence[str]) -> None:
    """Both sides changed the same fields: never last-writer-wins by accident (R45)."""
    names = ", ".join(fields)
    close(trail, attempt, Outcome.NOT_DONE, text=f"Edited in the target too: {names}.")
    if _overtaken(record, attempt):
        return
    cause = Cause(
        "conflict",
        record.key,
        f"{record.number}: {names} changed in the target after our last write, and the source says otherwise.",
        "Retry to overwrite the target with the source's values, or skip to leave the target as it is.",
        detail={"fields": list(fields)},
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
