"""SYSPRO -> BILL against a simple model of what must be in BILL: random interleavings (R1 to R20, R26 to R31, R45 to
R56, R76).

Without more, a few stories are tried, the same each time, so that a change is judged and not chance. MODEL_EXAMPLES
asks for so many others, under a seed that is printed and that MODEL_SEED repeats; a failure is then made small.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from ml_connector.conformance.model import machine
from tests.conformance.syspro_bill_play import PLAY

EXAMPLES = {"sqlite": 4, "postgres": 2}
SEED = 1
STEPS = 35


def test_whatever_happens_in_any_order_the_target_ends_as_the_model_says(databases, request):
    asked = os.environ.get("MODEL_EXAMPLES")
    chosen = int(os.environ.get("MODEL_SEED") or (random.randrange(2**32) if asked else SEED))
    print(f"MODEL_SEED={chosen}")
    examples = int(asked or EXAMPLES[request.config.getoption("--database")])
    profile = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=tuple(Phase) if asked else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    Machine = machine(PLAY)  # noqa: N806

    @seed(chosen)
    def story():
        return Machine(databases)

    run_state_machine_as_test(story, settings=profile)
