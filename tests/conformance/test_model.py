"""SYSPRO -> BILL against a simple model of what must be in BILL: random interleavings (R1 to R20, R26 to R31, R45 to
R56, R76).

MODEL_EXAMPLES says how many stories are tried; MODEL_SEED repeats a run, and a failure prints how to repeat it alone.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from ml_connector.conformance.model import machine
from tests.conformance.syspro_bill_model import PLAY

EXAMPLES = {"sqlite": 12, "postgres": 3}
STEPS = 35


def test_whatever_happens_in_any_order_the_target_ends_as_the_model_says(databases, request):
    chosen = int(os.environ.get("MODEL_SEED") or random.randrange(2**32))
    print(f"MODEL_SEED={chosen}")
    examples = int(os.environ.get("MODEL_EXAMPLES") or EXAMPLES[request.config.getoption("--database")])
    profile = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    Machine = machine(PLAY)  # noqa: N806

    @seed(chosen)
    def story():
        return Machine(databases)

    run_state_machine_as_test(story, settings=profile)
