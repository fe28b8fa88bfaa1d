"""One message, sent for real by the messenger's own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ml_connector.messenger.address import AddressUnusable, parsed
from ml_connector.messenger.outcome import Outcome
from ml_connector.sync.notify import sending


def ask(kind: str, address: str, *, internal: bool = True):
    return sending._ask({"kind": kind, "address": address, "title": "A title", "body": "One\nTwo", "type": "warning",
                         "id": "acme-1", "internal": internal})  # fmt: skip


def mail(box, more: str = "", to: str = "ap@acme.test") -> str:
    return f"mailto://127.0.0.1:{box.port}?from=connector@acme.test&to={to}{more}"


def test_a_webhook_gets_title_text_and_an_id_by_which_it_tells_repeats(hook):
    assert ask("webhook", f"{hook.url}?key=abc").outcome is Outcome.SENT
    assert hook.paths == ["/hook/s3cretpath?key=abc"]
    assert hook.seen[0]["title"] == "A title"
    assert hook.seen[0]["message"] == "One\nTwo"
    assert hook.seen[0]["id"] == "acme-1"


def test_a_mail_goes_to_all_at_once(mailbox):
    assert ask("mail", mail(mailbox, to="ap@acme.test,it@acme.test")).outcome is Outcome.SENT
    ((to, found),) = mailbox.mails
    assert to == ["ap@acme.test", "it@acme.test"]
    assert found["subject"] == "A title"
    assert "connector@acme.test" in found["from"]
    assert mailbox.text().split() == ["One", "Two"]


def test_a_mail_whose_answer_was_lost_is_not_sent_again(mailbox):
    mailbox.drop_after_data = True
    assert ask("mail", mail(mailbox)).outcome is Outcome.UNKNOWN
    assert len(mailbox.mails) == 1


def test_a_refused_recipient_is_an_end(mailbox):
    mailbox.refuse_recipients = True
    sent = ask("mail", mail(mailbox))
    assert (sent.outcome, "550" in sent.text) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(404, Outcome.REFUSED), (410, Outcome.REFUSED), (429, Outcome.FAILED), (503, Outcome.FAILED)],
)
def test_what_a_webhook_answers_decides(hook, status, outcome):
    hook.status = status
    sent = ask("webhook", hook.url)
    assert (sent.outcome, str(status) in sent.text) == (outcome, True)
    assert len(hook.seen) == 1


def test_a_webhook_that_does_not_answer_may_have_taken_it(hook):
    hook.silent = True
    assert ask("webhook", hook.url).outcome is Outcome.UNKNOWN


def test_nothing_listens_there(hook):
    sent = ask("webhook", "http://127.0.0.1:9/x")
    assert (sent.outcome, sent.text) == (Outcome.FAILED, "It could not be reached.")


def test_a_redirect_is_not_followed(hook):
    hook.status, hook.location = 307, f"http://127.0.0.1:{hook.port}/elsewhere"
    assert ask("webhook", hook.url).outcome is Outcome.REFUSED
    assert hook.paths == ["/hook/s3cretpath"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.1.2.3", "[::ffff:127.0.0.1]", "2130706433"]
)
def test_addresses_within_are_refused_unless_the_host_allows_them(hook, host):
    scheme = "http" if host in {"127.0.0.1", "localhost", "[::1]"} else "https"
    sent = ask("webhook", f"{scheme}://{host}:{hook.port}/x", internal=False)
    assert sent.outcome is Outcome.REFUSED
    assert "never allowed" in sent.text or "does not allow" in sent.text
    assert hook.seen == []


def test_a_mail_server_within_is_refused_unless_the_host_allows_it(mailbox):
    sent = ask("mail", mail(mailbox), internal=False)
    assert (sent.outcome, "ML_CONNECTOR_NOTIFY_INTERNAL=1" in sent.text) == (Outcome.REFUSED, True)
    assert mailbox.mails == []


def test_a_metadata_address_is_refused_even_where_the_host_allows_what_is_within(hook):
    assert "never allowed" in ask("webhook", "https://169.254.169.254/latest").text


def test_a_certificate_needs_an_authority_that_the_host_trusts(hook, tmp_path, monkeypatch):
    from ml_connector.conformance.tls_front import TlsFront

    with TlsFront(f"http://127.0.0.1:{hook.port}", tmp_path) as front:
        sent = ask("webhook", f"{front.url}/x")
        assert "certificate" in sent.text
        assert hook.seen == []
        authority = tmp_path / "authority.pem"
        authority.write_text(front.authority)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert ask("webhook", f"{front.url}/x").outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "http://example.com/x"),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "https://"),
        ("webhook", "https://example.com/a b"),
        ("slack", "https://hooks.slack.com.evil.example/services/T1/B1/X1"),
        ("slack", "https://evil.example/services/T1/B1/X1"),
        ("teams", "https://logic.azure.com.evil.example/workflows/a/triggers/manual/paths/invoke?sig=x"),
        ("mail", "mailto://user:password@smtp.example.com?from=a@b.test&to=c@d.test"),
        ("mail", "mailtos://smtp.example.com?from=a@b.test&to=c@d.test&verify=no"),
        ("mail", "mailtos://smtp.example.com?from=a@b.test"),
        ("mail", "mailtos://smtp.example.com/x@y.test?from=a@b.test&to=c@d.test"),
        ("exec", "exec:///bin/sh"),
        ("dbus", "dbus://"),
    ],
)
def test_addresses_that_are_no_channel(kind, address):
    with pytest.raises(AddressUnusable) as refused:
        parsed(kind, address)
    assert "password@" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("slack", "https://hooks.slack.com/services/T000/B000/abcDEF123456789012345678"),
        ("teams", "https://prod-1.westus.logic.azure.com:443/workflows/0a1b/triggers/manual/paths/invoke?sig=abc_-1&sp=x"),
        ("teams", "https://default.0a.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/0a1b"
                  "/triggers/manual/paths/invoke?sig=abc_-1&api-version=1"),
    ],
)  # fmt: skip
def test_what_slack_and_teams_hand_out_becomes_a_plugin(kind, address):
    build = (
        "from ml_connector.messenger.__main__ import _plugin; from ml_connector.messenger.address import parsed;"
        f" plugin = _plugin(parsed({kind!r}, {address!r}), 'x'); print(type(plugin).__name__, plugin.redirects)"
    )
    said = subprocess.run([sys.executable, "-c", build], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.split() == [{"slack": "NotifySlack", "teams": "NotifyWorkflows"}[kind], "False"]


def test_a_worker_never_loads_what_sends():
    ask_modules = (
        "import django, json, sys; django.setup(); import ml_connector.jobs.worker, ml_connector.cli.app;"
        " print(json.dumps([name for name in ('apprise', 'requests', 'jwt', 'markdown') if name in sys.modules]))"
    )
    said = subprocess.run([sys.executable, "-c", ask_modules], capture_output=True, text=True, check=True,
                          env={**os.environ, "DJANGO_SETTINGS_MODULE": "ml_connector.settings"})  # fmt: skip
    assert json.loads(said.stdout) == []
