"""Logs: one JSON line per event, without secrets, whoever logs it (R71)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ml_connector.redaction import HIDDEN, is_secret_name, redacted

_SILENCED = ("httpx2", "httpcore2")
"""Libraries that log whole addresses at INFO, query and all."""

_OUTSIDERS = "django.security.DisallowedHost"
"""Logs a stack trace for each request with a foreign Host header, which anybody can send."""


def configure(level: str = "INFO", *, json: bool = True) -> None:
    """Sends everything, of structlog and of the standard library, to standard error.

    Without `json` the lines are for people to read; control characters are escaped and secrets hidden either way.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_COMMON, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=False) if json else _line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _SILENCED:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger(_OUTSIDERS).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hides values that are known to be secrets, and all that stands under a secret's name."""
    return {name: HIDDEN if is_secret_name(name) else _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {
            redacted(str(name)): HIDDEN if is_secret_name(str(name)) else _hidden(part) for name, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(part) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redacted(str(value))


def _line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`12:30:00 warning ml_connector.jobs: what happened  name=value`."""
    head = f"{event.pop('timestamp', '')} {event.pop('level', '')} {event.pop('logger', '')}: {event.pop('event', '')}"
    text = "  ".join([head, *(f"{name}={value}" for name, value in event.items())])
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)
