"""The tables of the engine. The words are those of the vocabulary in docs/architecture.md."""

from ml_connector.sync.models.approvals import Approval, ApprovalKind, ApprovalState
from ml_connector.sync.models.codes import CodeListEntry, Mapping, MappingEntry, MappingUse, MappingVersion
from ml_connector.sync.models.configuration import (
    HANDED_OVER,
    PARK_AT,
    Allowance,
    Connection,
    Flow,
    Health,
    Integration,
)
from ml_connector.sync.models.holds import Hold, HoldKind
from ml_connector.sync.models.notices import Channel, Event, Message, MessageState, Notice
from ml_connector.sync.models.pings import Ping, PingState
from ml_connector.sync.models.problems import Problem, ProblemComment, ProblemRecord, ProblemState
from ml_connector.sync.models.records import Attempt, Exchange, Link, Operation, Outcome, Record, State
from ml_connector.sync.models.runs import DONE, Run, RunKind, RunState
from ml_connector.sync.models.targets import Listing, TargetEntry
from ml_connector.sync.models.tasks import Task, TaskKind, TaskState
from ml_connector.sync.models.tieouts import ClearingBalance, Pack, StoredTieOut, TieOutLine, TieOutRow
from ml_connector.sync.models.transfers import Answered, Claimed, Transfer
from ml_connector.sync.models.webhooks import EventReading, ReceivedEvent, ReceivedState, Via, Webhook, WebhookState

__all__ = [
    "DONE",
    "HANDED_OVER",
    "PARK_AT",
    "Allowance",
    "Answered",
    "Approval",
    "ApprovalKind",
    "ApprovalState",
    "Attempt",
    "Channel",
    "Claimed",
    "ClearingBalance",
    "CodeListEntry",
    "Connection",
    "Event",
    "EventReading",
    "Exchange",
    "Flow",
    "Health",
    "Hold",
    "HoldKind",
    "Integration",
    "Link",
    "Listing",
    "Mapping",
    "MappingEntry",
    "MappingUse",
    "MappingVersion",
    "Message",
    "MessageState",
    "Notice",
    "Operation",
    "Outcome",
    "Pack",
    "Ping",
    "PingState",
    "Problem",
    "ProblemComment",
    "ProblemRecord",
    "ProblemState",
    "ReceivedEvent",
    "ReceivedState",
    "Record",
    "Run",
    "RunKind",
    "RunState",
    "State",
    "StoredTieOut",
    "TargetEntry",
    "Task",
    "TaskKind",
    "TaskState",
    "TieOutLine",
    "TieOutRow",
    "Transfer",
    "Via",
    "Webhook",
    "WebhookState",
]
