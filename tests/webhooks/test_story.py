"""The payments of the acceptance story, announced by BILL: twice, out of order, forged, and one not at all."""

from __future__ import annotations

from ml_connector.jobs.webhooks import check_now
from ml_connector.sync.models import RunKind
from ml_connector.sync.webhooks import keeping
from tests.sync.sapb1_pair import B1Pair, sapb1_pair, stp
from tests.sync.test_story_sapb1_bill import POST, paid_as_written, to_bill
from tests.webhooks.conftest import Reached, Sender


class Story(Reached, B1Pair):
    """The base set, and BILL reaches us."""

    def announced(self, events: int, *, posted: int) -> None:
        """So many events more have come; what they are about is read and posted."""
        self.wait(self.heard + events)
        self.heard += events
        assert self.run("payments", RunKind.PULL).counts.get("events", 0) == events
        self.run("payments", RunKind.PUSH)
        assert len(self.posted()) == posted

    heard = 0


def test_what_bill_announces_ends_as_written(workspace, endpoint):  # R28, R29, R30, R55, R57, R58
    with sapb1_pair(workspace, Story, page_size=1000) as pair:
        to_bill(pair)
        pair.bill.options({"webhook_backoff_base_s": 0.01})
        assert pair.look().state == "active"

        pair.b1.faults([{"match": POST, "do": "commit_then_status", "status": 502, "times": 1}])
        pair.pay(stp(1), ELC_1001="1620.00", ELC_1002="500.00")
        pair.announced(1, posted=1)
        pair.later(minutes=15)
        pair.bill.options({"webhook_duplicates": 1})
        pair.pay(stp(2), ELC_1002="413.19")
        pair.announced(1, posted=2)
        pair.bill.options({"webhook_duplicates": 0})
        pair.pay(stp(3), NK_77="2500.00", funding="2750.00")
        pair.pay(stp(4), PK_500="600.00", credit="75.00")
        pair.announced(2, posted=4)

        # Nobody is there to take what is announced: the poll finds both.
        pair.bill.options({"webhook_delivery": "none"})
        pair.pay(stp(5), HU_2202="199.60")
        pair.pay(stp(6), PK_502="250.00")
        pair.later(minutes=15)
        pair.announced(0, posted=6)
        late = [row for row in pair.bill.state("events") if row["entityId"] == stp(5)][-1]["id"]

        # The void comes first, what happened before it afterwards.
        pair.bill.options({"webhook_delivery": "in_order"})
        pair.change(stp(5), singleStatus="VOIDED")
        pair.announced(1, posted=6)
        pair.resend(late)
        pair.announced(1, posted=6)

        forged = Sender(pair)
        assert forged.send(forged.body("forged", key=stp(7)), "bm8=").status_code == 401
        pair.pay(stp(7), "PROCESSED", HU_2203="150.00")
        pair.announced(1, posted=6)
        assert pair.webhook.refused == 1

        # The hourly check finds in the list of BILL what never arrived; it changes nothing any more.
        pair.later(minutes=60)
        check_now(keeping.row_of(pair.platform), "test", 5)
        pair.sync()
        paid_as_written(pair)
        assert {event.state for event in pair.events()} == {"processed"}
        assert [event.key for event in pair.events() if event.via == "history"] == [stp(6)]
        pair.check()
