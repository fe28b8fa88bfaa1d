"""The tables of the engine. The words are those of the vocabulary in docs/architecture.md."""

from ml_connector.sync.models.codes import CodeListEntry, Mapping, MappingEntry, MappingVersion
from ml_connector.sync.models.configuration import PARK_AT, Allowance, Connection, Flow, Health, Integration
from ml_connector.sync.models.notices import Channel, Event, Message, MessageState, Notice
from ml_connector.sync.models.problems import Problem, ProblemRecord, ProblemState
from ml_connector.sync.models.records import Attempt, Link, Operation, Outcome, Record, State
from ml_connector.sync.models.runs import Run, RunKind, RunState
from ml_connector.sync.models.targets import Listing, TargetEntry

__all__ = [
    "PARK_AT",
    "Allowance",
    "Attempt",
    "Channel",
    "CodeListEntry",
    "Connection",
    "Event",
    "Flow",
    "Health",
    "Integration",
    "Link",
    "Listing",
    "Mapping",
    "MappingEntry",
    "MappingVersion",
    "Message",
    "MessageState",
    "Notice",
    "Operation",
    "Outcome",
    "Problem",
    "ProblemRecord",
    "ProblemState",
    "Record",
    "Run",
    "RunKind",
    "RunState",
    "State",
    "TargetEntry",
]
