"""A Connection's form, made of what its System declares: fields with help, and back to what the configuration says.

Nothing is checked here: what a person typed is read by the same rules as a configuration file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from ml_connector.sync.configfile import Fault
from ml_connector.systems.base import Setting, System

KINDS = {bool: "check", list: "lines", dict: "pairs"}
"""How a value is typed in: by default in one line."""


@dataclass(frozen=True)
class Field:
    """One value of the form."""

    name: str
    label: str
    help: str
    kind: str
    """text, number, choice, check, lines, pairs, area or secret."""
    value: str
    """As it is shown; empty for a secret, always."""
    choices: tuple[str, ...]
    required: bool
    default: str
    stored: bool
    """Of a secret: that there is one, which an empty field keeps."""
    error: str

    @property
    def id(self) -> str:
        return f"field-{self.name}"


@dataclass(frozen=True)
class Group:
    """Fields under one heading."""

    title: str
    """Empty for those that come first."""
    fields: tuple[Field, ...]
    open: bool
    """Whether it shows without being asked for: something in it is wrong or set."""


def groups(
    form: Sequence[Setting],
    stored: Mapping[str, Any],
    secrets: Collection[str],
    posted: QueryDict | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[Group]:
    """The form with what is stored, or with what was posted and what is wrong with it."""
    titles = list(dict.fromkeys(setting.group for setting in form))
    made = []
    for title in titles:
        settings = [setting for setting in form if setting.group == title]
        fields = tuple(_field(setting, stored, secrets, posted, errors or {}) for setting in settings)
        changed = any(field.error or setting.name in stored for field, setting in zip(fields, settings, strict=True))
        made.append(Group(title, fields, not title or changed))
    return made


def secrets_again(system: System, stored: Collection[str], errors: Mapping[str, str]) -> list[Group]:
    """Where the stored secrets are typed again beside settings that say where they go."""
    fields = tuple(_field(setting, {}, stored, None, errors) for setting in system.secrets() if setting.name in stored)
    return [Group("Secrets, where the place they are for changes", fields, any(field.error for field in fields))]


def content(system: System, posted: QueryDict, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a form says, as a configuration file would: only what differs from the defaults."""
    values: dict[str, Any] = {}
    for setting in system.settings():
        value = _given(setting, posted)
        if value in (None, "", [], {}) or _same(setting, value, setting.default):
            if setting.name in stored:
                values[setting.name] = None
        else:
            values[setting.name] = value
    return values


def typed_secrets(system: System, posted: QueryDict) -> dict[str, str]:
    """Those that were typed; an empty field keeps what is stored."""
    return {setting.name: str(posted[setting.name]) for setting in system.secrets() if posted.get(setting.name)}


def errors_by_field(faults: Collection[Fault], connection: str) -> tuple[dict[str, str], list[str]]:
    """What is wrong by field of a Connection's form, and what is about no field of it."""
    errors: dict[str, str] = {}
    others: list[str] = []
    for fault in faults:
        parts = fault.path.removeprefix(f"connections.{connection}.").split(".")
        if fault.path.startswith(f"connections.{connection}.") and parts[0] in {"settings", "secrets"} and parts[1:]:
            text = fault.text.removeprefix(fault.path).lstrip(": ")
            # The help that a file's reader needs stands beside the field already.
            text = "This is missing." if text.startswith("is missing.") else text[:1].upper() + text[1:]
            errors.setdefault(parts[1], text)
        else:
            others.append(fault.text)
    return errors, others


def shown(setting: Setting, value: Any) -> str:
    """A value as one types it."""
    if value is None:
        return ""
    if setting.type is bool:
        return "yes" if value else "no"
    if setting.type is list:
        return "\n".join(map(str, value))
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {text}" for key, text in value.items())
    return str(value)


def _field(
    setting: Setting,
    stored: Mapping[str, Any],
    secrets: Collection[str],
    posted: QueryDict | None,
    errors: Mapping[str, str],
) -> Field:
    if setting.secret:
        value = ""
    elif posted is not None:
        value = _posted_text(setting, posted)
    else:
        value = shown(setting, stored.get(setting.name, setting.default))
    return Field(
        name=setting.name,
        label=setting.label or setting.name,
        help=setting.help,
        kind=_kind(setting),
        value=value,
        choices=setting.choices,
        required=setting.required,
        default=shown(setting, setting.default),
        stored=setting.name in secrets,
        error=errors.get(setting.name, ""),
    )


def _kind(setting: Setting) -> str:
    if setting.secret:
        return "secret"
    if setting.choices:
        return "choice"
    if setting.lines:
        return "area"
    return KINDS.get(setting.type, "number" if setting.type is int else "text")


def _posted_text(setting: Setting, posted: QueryDict) -> str:
    if setting.type is bool:
        return "yes" if posted.get(setting.name) else "no"
    return str(posted.get(setting.name, ""))


def _given(setting: Setting, posted: QueryDict) -> Any:
    """As a configuration file would give it. Pairs that are none stay text, which is refused as it is in a file."""
    if setting.type is bool:
        return bool(posted.get(setting.name))
    text = str(posted.get(setting.name, "")).replace("\r\n", "\n").strip()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if setting.type is list:
        return lines
    if setting.type is dict:
        pairs = [line.partition(":") for line in lines]
        return {key.strip(): value.strip() for key, _, value in pairs} if all(sign for _, sign, _ in pairs) else text
    return text


def _same(setting: Setting, value: Any, default: Any) -> bool:
    return shown(setting, value) == shown(setting, default)
