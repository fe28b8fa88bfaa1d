"""The tables of the engine. The words are those of the vocabulary in docs/architecture.md."""

from ml_connector.sync.models.codes import CodeListEntry, Mapping, MappingEntry, MappingUse, MappingVersion
from ml_connector.sync.models.configuration import PARK_AT, Allowance, Connection, Flow, Health, Integration
from ml_connector.sync.models.problems import Problem, ProblemComment, ProblemRecord, ProblemState
from ml_connector.sync.models.records import Attempt, Exchange, Link, Operation, Outcome, Record, State
from ml_connector.sync.models.runs import Run, RunKind, RunState
from ml_connector.sync.models.targets import Listing, TargetEntry

__all__ = [
    "PARK_AT",
    "Allowance",
    "Attempt",
    "CodeListEntry",
    "Connection",
    "Exchange",
    "Flow",
    "Health",
    "Integration",
    "Link",
    "Listing",
    "Mapping",
    "MappingEntry",
    "MappingUse",
    "MappingVersion",
    "Operation",
    "Outcome",
    "Problem",
    "ProblemComment",
    "ProblemRecord",
    "ProblemState",
    "Record",
    "Run",
    "RunKind",
    "RunState",
    "State",
    "TargetEntry",
]
