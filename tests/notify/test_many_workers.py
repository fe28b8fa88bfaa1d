"""Several workers empty one outbox."""

from __future__ import annotations

import threading
from collections import Counter

from django.db import connections

from ml_connector import audit, clock
from ml_connector.audit.verify import verify
from ml_connector.jobs.notifying import tell as empty_outbox
from ml_connector.sync import problems
from ml_connector.sync.models import Connection, Integration, Message, Notice
from ml_connector.sync.notify import gather
from ml_connector.sync.problems import Cause

WORKERS, CAUSES = 4, 6


def test_each_message_arrives_once_whoever_sends_it(workspace, hook, tell):
    tell("problem")
    sides = [Connection.objects.create(workspace=workspace, name=name, system=name, credential=name)
             for name in ("syspro", "bill")]  # fmt: skip
    integration = Integration.objects.create(
        workspace=workspace, name="payables", kind="syspro-bill", erp=sides[0], platform=sides[1]
    )
    for number in range(CAUSES):
        with audit.recording(workspace, actor="worker") as trail:
            problems.open_problem(trail, integration, Cause("unmapped_code", str(number), "text", "fix"))
        if number < CAUSES - 2:
            gather.gather()
    begin = threading.Barrier(WORKERS)
    went_wrong: list[BaseException] = []

    def work() -> None:
        try:
            begin.wait(10)
            empty_outbox()
        except BaseException as error:
            went_wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    clock.hold(clock.now())
    empty_outbox()
    assert went_wrong == []
    assert set(Counter(row["id"] for row in hook.seen).values()) == {1}
    assert Message.objects.of(workspace).count() == len(hook.seen) >= CAUSES - 1
    assert set(Message.objects.of(workspace).values_list("state", flat=True)) == {"sent"}
    told = sum(int(row["title"].split("] ")[1].split(" ")[0]) for row in hook.seen)
    assert told == Notice.objects.of(workspace).filter(told=True).count() == CAUSES
    assert verify(workspace).holds
