"""Values of the file checked against a System's or Flow's declared settings."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ml_connector.domain.money import MINOR_UNITS, Money, NotAnAmount, quantise, step
from ml_connector.sync.configfile.tree import Entry
from ml_connector.systems.base import Refused, Setting, System

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
"""Of Workspaces, Connections and Integrations: they become part of marks and never change."""
_INTERVAL = re.compile(r"([0-9]{1,6})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHORTEST, LONGEST = 60, 86_400
_PLACES = "{env: NAME} or {file: PATH}"
"""Where a secret may be."""


def interval_text(seconds: int) -> str:
    """600 -> `10m`."""
    for unit in ("d", "h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def interval(entry: Entry) -> int | None:
    """Seconds of `10m`, `1h`, `1d`."""
    found = _INTERVAL.fullmatch((entry.raw or "").strip())
    if not found:
        entry.fault(f"must be a number with a unit, such as 10m, 1h or 1d, not {entry.shown}.")
        return None
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not SHORTEST <= seconds <= LONGEST:
        entry.fault(f"is {entry.raw}; the shortest is 1m, the longest 1d.")
        return None
    return seconds


def name(entry: Entry, given: str) -> str | None:
    """A lasting name."""
    if NAME.fullmatch(given):
        return given
    entry.fault("is no name: use letters, digits, - _ and . only, at most 60, beginning with a letter or digit.")
    return None


def settings(entry: Entry, form: Sequence[Setting]) -> dict[str, Any]:
    """The values given, by name; None where the file asks for the default."""
    declared = {setting.name: setting for setting in form}
    values: dict[str, Any] = {}
    for name_, value in entry.table(declared).items():
        if declared[name_].secret:
            value.fault(f"is a secret. Move it under secrets, as {_PLACES}.")
        else:
            checked = setting_value(value, declared[name_])
            if checked is not None or value.empty:
                values[name_] = checked
    return values


def setting_value(entry: Entry, setting: Setting) -> Any:
    """One value in its declared type, or None with a fault noted (or for an empty one)."""
    if entry.empty:
        return None
    value = _READERS[setting.type](entry)
    if value is not None and setting.choices and value not in setting.choices:
        entry.fault(f"must be one of {', '.join(setting.choices)}, not {entry.shown}.")
        return None
    return value


def _list(entry: Entry) -> list[str] | None:
    texts = [item.text() for item in entry.items()]
    return [text for text in texts if text is not None]


def _dict(entry: Entry) -> dict[str, str]:
    texts = {key: value.text() for key, value in entry.table().items()}
    return {key: text for key, text in texts.items() if text is not None}


def _amount(entry: Entry) -> str | None:
    try:
        if Decimal(entry.raw or "").is_finite():
            return entry.raw
    except InvalidOperation:
        pass
    entry.fault(f"must be an amount such as 25000.00, not {entry.shown}.")
    return None


def _money(entry: Entry) -> dict[str, str]:
    """An amount above zero per currency, each in whole minor units."""
    amounts = {}
    for iso, value in entry.table().items():
        if iso not in MINOR_UNITS:
            value.fault("is no ISO 4217 currency code. Write it as USD.")
            continue
        try:
            amount = quantise(Decimal(value.raw or ""), iso)
        except (InvalidOperation, NotAnAmount):
            amount = Decimal(0)
        if amount > 0:
            amounts[iso] = str(amount)
        else:
            value.fault(f"must be an amount of {iso} above zero, such as {step(iso)}, not {value.shown}.")
    return amounts


def _date(entry: Entry) -> str | None:
    if entry.raw == "":
        return ""
    try:
        return date.fromisoformat(entry.raw or "-").isoformat()
    except ValueError:
        entry.fault(f"must be a date such as 2026-11-01, not {entry.shown}.")
        return None


_READERS: Mapping[type, Callable[[Entry], Any]] = {
    str: Entry.text,
    int: Entry.whole,
    bool: Entry.boolean,
    list: _list,
    dict: _dict,
    Decimal: _amount,
    Money: _money,
    date: _date,
}


def secrets(entry: Entry, form: Sequence[Setting], folder: Path) -> dict[str, str]:
    """The secrets that the file points to, by name. Their values never come from the file itself."""
    declared = {setting.name: setting for setting in form if setting.secret}
    plain = {setting.name for setting in form if not setting.secret}
    values: dict[str, str] = {}
    for name_, value in entry.table({*declared, *plain}).items():
        if name_ in plain:
            value.fault("is no secret. Move it under settings.")
            continue
        secret = _secret(value, folder)
        if secret == "" and declared[name_].required:
            value.fault("is empty. Put the secret where the file points to.")
        elif secret is not None:
            values[name_] = secret
    return values


def _secret(entry: Entry, folder: Path) -> str | None:
    if entry.raw is not None or entry.empty:
        entry.fault(
            f"is written into the file. Put it into an environment variable or a file of its own and write "
            f"{_PLACES}; leave the line out when there is no such secret."
        )
        return None
    places = entry.table({"env", "file"})
    if len(places) != 1:
        entry.fault(f"must say where the secret is: {_PLACES}.")
        return None
    [(kind, place)] = places.items()
    where = place.text()
    if not where:
        return None
    if kind == "env":
        secret = os.environ.get(where)
        if secret is None:
            entry.problem(f"the environment variable {where} is not set. Set it and apply the file again.")
        return secret
    return read_text(place, folder / where)


def read_text(entry: Entry, path: Path) -> str | None:
    """What a file holds, without the newline at its end."""
    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        entry.problem(f"the file {path} cannot be read ({error.strerror}). Paths are relative to this file.")
    except UnicodeDecodeError:
        entry.problem(f"the file {path} is no text in UTF-8.")
    return None


def missing(entry: Entry, names: Collection[str], form: Sequence[Setting], what: str) -> None:
    """Notes the required settings (or secrets) that are in none of `names`."""
    for setting in form:
        if setting.required and setting.name not in names:
            path = f"{entry.path}.{what}.{setting.name}"
            entry.faults.add(entry.line, f"{path} is missing. {setting.help}", path=path)


def given_again(
    entry: Entry, before: Mapping[str, Any], after: Mapping[str, Any], sealed: Collection[str], system: System
) -> None:
    """Notes each secret in `sealed`, those that are stored and not given anew, where a setting changes that says what
    they are good for (R65). `entry` is the Connection's."""
    changed = [
        setting.name
        for setting in system.settings()
        if setting.binds_secrets and _in_force(setting, before) != _in_force(setting, after)
    ]
    for setting in system.secrets() if changed else ():
        if setting.name in sealed:
            path = f"{entry.path}.secrets.{setting.name}"
            why = f"it was stored for another {changed[0]} and goes nowhere else by itself. Give it again."
            entry.faults.add(entry.line, f"{path}: {why}", path=path)


def _in_force(setting: Setting, given: Mapping[str, Any]) -> Any:
    value = given.get(setting.name)
    return setting.default if value is None else value


def sense(entry: Entry, system: System, given: Mapping[str, Any]) -> None:
    """Notes what the System itself says against settings that each have their type. `entry` is the Connection's."""
    if system.check is None:
        return
    defaults = {setting.name: setting.default for setting in system.settings()}
    try:
        system.check({**defaults, **{name: value for name, value in given.items() if value is not None}})
    except Refused as refused:
        path = f"{entry.path}.settings.{refused.field}"
        entry.faults.add(entry.line, f"{path}: {refused}", path=path)
