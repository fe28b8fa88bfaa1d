"""What people read for the engine's names."""

from __future__ import annotations

CAUSES = {
    "unmapped_code": "Code without a mapping",
    "code_not_postable": "Code that cannot be posted to",
    "supplier_missing": "No such supplier",
    "supplier_on_hold": "Supplier on hold",
    "invoice_on_hold": "Invoice on hold",
    "supplier_ambiguous": "Supplier may exist already",
    "parent_not_confirmed": "Waits for what it refers to",
    "credit_without_invoice": "Credit without its invoice",
    "duplicate_invoice": "Looks like a duplicate",
    "totals_differ": "Totals do not add up",
    "currency_not_allowed": "Currency not allowed",
    "amount_too_large": "Amount above the limit",
    "paid_elsewhere": "Paid elsewhere",
    "bank_change": "Bank or payment details changed",
    "bank_shared": "Same bank account as another supplier",
    "refused_by_target": "Refused by the target",
    "posted_not_in_ledger": "Posted, but not in the ledger",
    "not_decided": "Accepted, not decided",
    "unanswered": "No definite answer",
    "code_taken": "Two records, one code",
    "conflict": "Changed on both sides",
    "edit_after_posting": "Edit came too late",
    "void_after_payment": "Void came too late",
    "payment_unmatched": "Pays what is not known",
    "payment_failed": "Payment failed",
    "payment_cancelled": "Payment cancelled by hand",
    "void_left_credit": "Voided for a credit",
    "unknown_status": "State not known",
    "claimed_elsewhere": "Taken over by somebody else",
    "claim_failed": "Cannot be taken over",
    "answer_failed": "Answer not taken",
    "terms_proposed": "Payment terms proposed",
    "tax_id_proposed": "Tax id proposed",
    "over_application": "More than is open",
    "document_closed": "Document closed already",
    "period_closed": "Period closed",
    "fiscal_year_closed": "Fiscal year closed",
    "draft_left_behind": "Left among the drafts",
    "collision": "Another one in its place",
    "number_too_long": "Number too long",
    "installments": "Several installments",
    "field_missing": "Value missing",
    "field_too_long": "Text too long",
    "credentials_refused": "Credentials refused",
    "wrong_company": "Wrong company",
    "target_unavailable": "System does not answer",
    "source_shape_changed": "Source changed its shape",
    "internal_error": "Error of ours",
    "flow_parked": "Flow is parked",
    "period_changed": "Frozen period changed",
    "webhook_refused": "Webhook requests refused",
    "webhook_off": "No webhook in force",
}

STATES = {
    "staged": "Read",
    "ready": "Ready to send",
    "in_flight": "Being sent",
    "accepted": "Accepted, to be decided there",
    "in_doubt": "Being looked for",
    "confirmed": "Confirmed",
    "skipped": "Skipped",
    "blocked": "Held back",
    "written_off": "Written off",
    "open": "Open",
    "solved": "Solved",
    "handled": "Handled",
    "ok": "Works",
    "unknown": "Not tested",
    "failing": "Failing",
    "circuit_open": "Stopped",
    "live": "Running",
    "succeeded": "Done",
    "undecided": "Done, waits for decisions",
    "with_problems": "Done, with Problems",
    "failed": "Failed",
    "lost": "Taken over",
    "pending": "Under way",
    "refused": "Refused",
    "not_done": "Not done",
    "adopted": "Found there",
    "healthy": "Healthy",
    "waiting for you": "Waiting for you",
    "stopped": "Stopped",
    "not started": "Not started",
    "paused": "Paused",
    "waiting": "Waits",
    "approved": "Approved",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed",
    "parked": "Parked",
    "active": "In force",
    "processed": "Read",
    "ignored": "Ignored",
}

TONES = {
    "good": {
        "confirmed",
        "solved",
        "handled",
        "ok",
        "succeeded",
        "adopted",
        "healthy",
        "approved",
        "active",
        "processed",
    },
    "busy": {"staged", "ready", "in_flight", "accepted", "in_doubt", "live", "pending", "undecided"},
    "warn": {"blocked", "open", "with_problems", "waiting for you", "failing", "lost", "not_done", "waiting"},
    "bad": {"circuit_open", "failed", "refused", "stopped", "parked", "written_off"},
}
"""Colours of the badges; what stands in none is grey."""

KINDS = {
    "pull": "Read",
    "sweep": "Compare keys",
    "push": "Write",
    "listing": "List the target's",
    "read_target": "Read the target's",
    "compare": "Compare",
}

REASONS = {
    "not_yet_sent": "Not sent yet",
    "in_flight": "Being sent",
    "in_doubt": "Being looked for",
    "blocked": "Held back",
    "skipped": "Skipped",
    "written_off": "Written off",
    "not_listed": "Not in the last listing",
    "archived_in_target": "Archived there",
    "credit_not_applied": "Credit not applied yet",
    "credit_applied_elsewhere": "Credit applied to another bill",
    "paid_in_source": "Paid in the source only",
    "paid_in_target": "Paid in the target only",
    "payment_to_post": "Payment to be posted",
    "payment_held": "Payment held back",
    "payment_left_out": "Payment not posted by a rule",
    "payment_under_way": "Payment under way",
    "payment_posted": "Payment posted since it was read",
    "payment_to_cancel": "Payment taken back",
    "amended": "Different amounts",
    "voided_in_source": "Voided in the source only",
    "gone_in_source": "No longer in the source",
    "corrects_unread": "Corrects what was not read",
    "only_in_target": "Entered in the target by hand",
    "unexplained": "Not explained",
}
"""Why both sides differ."""

SHOWS = {
    "differences": "Those that differ",
    "unexplained": "Those not explained",
    "all": "All suppliers",
    "only_in_target": "Only in the target",
}

TASKS = {"tie_out": "The comparison", "freeze": "Freezing the period", "verify": "Verifying the chain"}

APPROVALS = {
    "override": "Send a possible duplicate",
    "write_off": "Write off",
    "credentials": "Change a connection",
    "mapping": "Publish a mapping",
    "retention": "Keep things for a shorter time",
    "release": "Release after a call-back",
    "apply": "Apply a tax id",
}

ENTRIES = {
    "accepted": "Accepted, to be decided",
    "approval_asked": "Approval asked for",
    "bank_change": "Bank or payment details changed",
    "config_change": "Configuration changed",
    "mapping_change": "Mapping published",
    "problem_opened": "Problem opened",
    "problem_solved": "Problem solved",
    "read_batch": "Read",
    "retention": "Removed by age",
    "retention_set": "Retention set",
    "freeze": "Period frozen",
    "pack_hash": "Hash of a pack told again",
    "cut": "Trail cut by age",
    "erase": "Personal data erased",
    "hold": "Legal hold set",
    "hold_lifted": "Legal hold lifted",
    "override": "Decision of a person",
    "people": "People changed",
    "announced": "Read what was announced",
}
"""Kinds of entries of the trail, where their name does not say it."""

ACTIONS = {
    "retry": "Retry",
    "skip": "Skip",
    "accept": "Mark as handled",
    "create": "Create a new supplier",
    "override": "Send it anyway",
    "write_off": "Write off",
    "release": "Release it",
    "take_over": "Take it over",
    "apply": "Apply it",
    "name": "Name the invoice",
}


def said(name: str) -> str:
    """A name of the engine that has no words of its own: `record_type` as `Record type`."""
    return name.replace("_", " ").capitalize()


def tone(state: str) -> str:
    return next((name for name, states in TONES.items() if state in states), "idle")
