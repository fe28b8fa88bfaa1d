"""Lists and stories of what the engine holds, for people and programs. They read and change nothing.

Each query gives frozen values; `plain` makes of them what JSON can carry, with money as text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ml_connector.sync.queries.links import LinkRow, link_rows
from ml_connector.sync.queries.outcomes import FlowOutcome, outcomes_since
from ml_connector.sync.queries.problems import ProblemRow, one_problem, problem_rows
from ml_connector.sync.queries.records import RecordRow, count_records, record_rows, record_type
from ml_connector.sync.queries.status import Status, imbalances, status
from ml_connector.sync.queries.story import Event, RecordStory, story

__all__ = [
    "Event",
    "FlowOutcome",
    "LinkRow",
    "ProblemRow",
    "RecordRow",
    "RecordStory",
    "Status",
    "count_records",
    "imbalances",
    "link_rows",
    "one_problem",
    "outcomes_since",
    "plain",
    "problem_rows",
    "record_rows",
    "record_type",
    "status",
    "story",
]


def plain(value: Any) -> Any:
    """A value of dataclasses, dates and decimals as JSON can carry it."""
    return msgspec.to_builtins(value, str_keys=True)
