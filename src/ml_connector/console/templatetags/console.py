"""How money, times and states are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ml_connector import clock
from ml_connector.console import words
from ml_connector.sync.queries.problem_page import Choice
from ml_connector.sync.tieout import amount_of

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`1,620.00 USD`, the digits of all rows under each other."""
    if amount is None:
        return ""
    return format_html('<span class="money">{} <span class="currency">{}</span></span>', f"{amount:,}", currency)


@register.filter
def moneys(amounts: Mapping[str, Decimal]) -> str:
    """Sums in several currencies: one line for each, never added up."""
    lines = ((f"{amount:,}", currency) for currency, amount in sorted(amounts.items()))
    return format_html_join("", '<span class="money">{} <span class="currency">{}</span></span>', lines)


@register.filter
def when(at: datetime | None) -> str:
    """An instant in the Workspace's zone, UTC on hover."""
    return _time(at, "%-d %b, %H:%M") if at and at.year == clock.now().year else _time(at, "%-d %b %Y, %H:%M")


@register.filter
def exactly(at: datetime | None) -> str:
    """Likewise, to the second."""
    return _time(at, "%-d %b %Y, %H:%M:%S")


@register.filter
def ago(at: datetime | None) -> str:
    """`5 min ago`, `in 3 h`; the instant on hover."""
    if at is None:
        return ""
    return _time(at, "", _distance((at - clock.now()).total_seconds()))


@register.filter
def day(value: date | None) -> str:
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), f"{value:%-d %b %Y}")


@register.filter
def overdue(value: date | None) -> bool:
    return value is not None and value < timezone.localdate(clock.now())


@register.filter
def badge(state: str) -> str:
    text = words.STATES.get(state, words.said(state))
    return format_html('<span class="state state-{}">{}</span>', words.tone(state), text)


@register.filter
def cause(name: str) -> str:
    return words.CAUSES.get(name, words.said(name))


@register.filter
def kind(name: str) -> str:
    return words.KINDS.get(name, words.said(name))


@register.filter
def action(name: str) -> str:
    return words.ACTIONS.get(name, words.said(name))


@register.filter
def reason(name: str) -> str:
    return words.REASONS.get(name, words.said(name))


@register.filter
def shows(name: str) -> str:
    return words.SHOWS.get(name, words.said(name))


@register.filter
def task(kind: str) -> str:
    return words.TASKS.get(kind, words.said(kind))


@register.filter
def approval(kind: str) -> str:
    return words.APPROVALS.get(kind, words.said(kind))


@register.filter
def entry_word(name: str) -> str:
    return words.ENTRIES.get(name, words.said(name))


@register.filter
def units(amount: int, currency: str) -> str:
    """An amount as the database stores it."""
    return money(amount_of(amount, currency), currency)


@register.simple_tag(takes_context=True)
def subject(context: template.Context, name: str, numbers: Mapping[str, str]) -> str:
    """What an entry of the trail is about, with the way to its page."""
    kind, _, key = name.partition(":")
    page = SUBJECT_PAGES.get(kind)
    text = numbers.get(name) or f"{words.said(kind)} {key}".strip()
    if page is None or not key.isdecimal() or (kind == "record" and name not in numbers):
        return text
    return format_html('<a href="{}">{}</a>', reverse(page, args=[context["workspace"].name, int(key)]), text)


SUBJECT_PAGES = {"record": "record", "problem": "problem", "pack": "pack", "approval": "approval"}


@register.filter
def said(name: str) -> str:
    return words.said(name)


@register.filter
def state_word(name: str) -> str:
    return words.STATES.get(name, words.said(name))


@register.filter
def number(value: int) -> str:
    return f"{value:,}"


@register.filter
def span(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 10 else _length(seconds)


@register.filter
def by(actor: str, names: Mapping[str, str]) -> str:
    """Who did it: the person's name, the program's token, the host's user, or the worker."""
    if actor in names:
        return names[actor]
    if actor.startswith("person:"):
        return f"Person {actor.removeprefix('person:')}"
    if actor.startswith("token:"):
        return f"{actor.removeprefix('token:')} (API token)"
    return f"{actor.removeprefix('os:')} (command line)" if actor.startswith("os:") else actor


@register.filter
def entry(values: Mapping[str, Any], key: str) -> Any:
    return values.get(key, "")


@register.filter
def options(choices: Iterable[Choice]) -> str:
    """The options of a list of thousands; a loop in a template takes ten times as long."""
    return format_html_join("", '<option value="{}">{}</option>', ((one.key, one.text) for one in choices))


@register.simple_tag(takes_context=True)
def narrowed(context: template.Context, **changes: Any) -> str:
    """The query of the page's address with these parts replaced; empty ones are left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {None, ""}:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


def _time(at: datetime | None, form: str, text: str = "") -> SafeString | str:
    if at is None:
        return ""
    local = timezone.localtime(at)
    utc = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    hover = f"{local:%-d %b %Y, %H:%M:%S} / {utc}" if text else utc
    shown = text or local.strftime(form)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), hover, shown)


def _distance(seconds: float) -> str:
    if abs(seconds) < 5:
        return "now"
    length = _length(abs(seconds))
    return f"in {length}" if seconds > 0 else f"{length} ago"


def _length(seconds: float) -> str:
    for size, name in ((86_400 * 2, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // (86_400 if name == 'd' else size):.0f} {name}"
    return f"{seconds:.0f} s"
