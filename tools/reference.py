"""Writes docs/reference-settings.md and docs/reference-commands.md anew, from the code: ./run reference"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_connector.systems.base import Setting

ROOT = Path(__file__).parent.parent
MADE = "Made from the code by `./run reference`; do not edit."
TYPES = {
    "str": "text",
    "int": "whole number",
    "bool": "true or false",
    "date": "date",
    "Decimal": "amount",
    "list": "list of texts",
    "dict": "names and values",
    "Money": "amount per currency",
}


def settings_page() -> str:
    """Settings and secrets of each System, policies of each pair, and the environment of the installation."""
    from ml_connector.integrations import INTEGRATIONS, SYSTEMS

    parts = [
        "# Reference: settings",
        f"{MADE} What the keys of the file are, and where these stand in it: [configuration](configuration.md). How"
        " each value is found: the pages on connecting a system. A star means that a value must be given.",
    ]
    for system in sorted(SYSTEMS.values(), key=lambda one: one.label):
        parts += [
            f"## {system.label}",
            f"`system: {system.name}`, under `settings`:",
            _table("setting", system.settings()),
        ]
        parts += ["Under `secrets`, as `{env: NAME}` or `{file: PATH}`:", _table("secret", system.secrets())]
    for spec in INTEGRATIONS.values():
        parts += [f"## {spec.label}", f"`kind: {spec.kind}`."]
        if spec.policies:
            parts += ["Policies of the Integration, for all its Flows:", _table("policy", spec.policies)]
        flows = _lines(
            ("Flow", "every", "Mapping", "after", "reads from"),
            (
                (f"`{flow.name}`", _every(flow.every), _code(flow.mapping), _codes(flow.after), f"`{flow.source}`")
                for flow in spec.flows
            ),
        )
        parts += ["Its Flows, and how often each reads unless told otherwise:", flows]
        for names, policies in _grouped({flow.name: flow.policies for flow in spec.flows}).items():
            parts += [f"Policies of {_codes(names)}:", _table("policy", policies)]
    parts += ["## Environment of the installation", "More about each: [operating](operating.md#environment-variables)."]
    parts.append(_lines(("variable", "meaning"), ((f"`{name}`", text) for name, text in environment().items())))
    return "\n\n".join(parts) + "\n"


def environment() -> dict[str, str]:
    """The variables that the head of settings.py names, each with what it says there."""
    tree = ast.parse((ROOT / "src/ml_connector/settings.py").read_text())
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (ast.get_docstring(tree) or "").splitlines():
        said = re.fullmatch(r"((?:[A-Z][A-Z_]+(?:, )?)+) +(\S.*)", line)
        if said:
            names = said[1].split(", ")
            found |= dict.fromkeys(names, said[2].strip())
        elif line.startswith(" "):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return {name: _cell(text) for name, text in found.items()}


def commands_page() -> str:
    """Each command with its arguments and options, as its help says."""
    from typer.core import TyperGroup
    from typer.main import get_command

    from ml_connector.cli.app import app

    top = get_command(app)
    assert isinstance(top, TyperGroup)
    parts = [
        "# Reference: commands",
        f"{MADE} `ml-connector COMMAND --help` says the same. Exit status of every command: 0 done, 1 the work met"
        " Problems or failures, 2 wrong usage.",
        _lines(("command", "does"), ((f"[`{path}`](#{_anchor(path)})", _first(one)) for path, one in _commands(top))),
    ]
    for path, command in _commands(top):
        usage = " ".join([f"ml-connector {path}", *(_usage(one) for one in _arguments(command)), "[OPTIONS]"])
        parts += [f"## {path}", f"    {usage}", _cell(command.help or "").replace("\\|", "|")]
        rows = [(f"`{_usage(one)}`", _cell(one.help or "")) for one in _arguments(command)] + [
            (f"`{', '.join(_spelled(one))}`", _cell(_told(one))) for one in _options(command)
        ]
        if rows:
            parts.append(_lines(("argument or option", "meaning"), rows))
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        path = f"{before}{name}"
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} ")
        else:
            yield path, command


def _arguments(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "argument" and not getattr(one, "hidden", False)]


def _options(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option" and not one.hidden]


def _usage(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name.strip('[]')}]"


def _spelled(option: Any) -> list[str]:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return [*option.opts[:-1], f"{option.opts[-1]}{value}", *option.secondary_opts]


def _told(option: Any) -> str:
    value = getattr(option.default, "value", option.default)
    plain = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    parts = [option.help or "", "Required" if option.required else f"Default: `{value}`" if plain else ""]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _first(command: Any) -> str:
    return _cell((command.help or "").partition("\n\n")[0])


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def _grouped(policies: Mapping[str, tuple[Setting, ...]]) -> dict[tuple[str, ...], tuple[Setting, ...]]:
    """Flows with the same policies stand together."""
    found: list[tuple[list[str], tuple[Setting, ...]]] = []
    for name, own in policies.items():
        same = next((names for names, other in found if other == own), None)
        if same is not None:
            same.append(name)
        elif own:
            found.append(([name], own))
    return {tuple(names): own for names, own in found}


def _table(what: str, settings: Iterable[Setting]) -> str:
    return _lines(
        (what, "kind", "default", "meaning"),
        (
            (f"`{one.name}`{'*' if one.required else ''}", _kind(one), _default(one.default), _cell(one.help))
            for one in settings
        ),
    )


def _kind(setting: Setting) -> str:
    if setting.choices:
        return " or ".join(f"`{choice}`" for choice in setting.choices)
    return TYPES[setting.type.__name__]


def _default(value: Any) -> str:
    if value is None or value in ("", (), [], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return _codes(value)
    if isinstance(value, dict):
        return _cell("`{" + ", ".join(f"{name}: {one}" for name, one in value.items()) + "}`")
    return f"`{value.normalize():f}`" if isinstance(value, Decimal) else _code(_cell(str(value)))


def _every(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _cell(text: str) -> str:
    """A text in one line of a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = f"|{'---|' * len(head)}"
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def pages() -> dict[str, str]:
    """By name of the file under docs."""
    return {"reference-settings.md": settings_page(), "reference-commands.md": commands_page()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
    import django

    django.setup()
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text)
