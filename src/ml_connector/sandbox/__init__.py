"""Stand-ins: believable vendor systems on localhost, for tests, demonstrations and adapter authors.

    python -m ml_connector.sandbox bill --port 0 --seed 1

    with ml_connector.sandbox.start("bill", seed=1) as bill:
        bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": "commit_then_reset", "times": 1}])

A stand-in is written from the vendor's facts alone and shares no code with the product's client for that vendor.
"""

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.running import SYSTEMS, Running, run, start
from ml_connector.sandbox.standin import BadInput, BadOption, Options, Row, StandIn

__all__ = [
    "SYSTEMS",
    "BadInput",
    "BadOption",
    "Clock",
    "Options",
    "Request",
    "Response",
    "Row",
    "Running",
    "StandIn",
    "run",
    "start",
]
