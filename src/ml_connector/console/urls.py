"""Addresses for people. Each view says who may call it."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, URLResolver, include, path

from ml_connector.console.access import public, signed_in
from ml_connector.console.views import (
    approvals,
    connections,
    entrance,
    home,
    mapping_files,
    mappings,
    problems,
    records,
    runs,
    settings,
    sso,
    tasks,
    tie_out,
    trail,
    triage,
)
from ml_connector.console.views import settings_keys as keys
from ml_connector.console.views import settings_notifications as notifications

_ACCOUNT: list[URLPattern] = [
    path("sign-in", public(account.login), name="account_login"),
    path("sign-out", public(account.logout), name="account_logout"),
    path("single-sign-on", sso.begin, name="sso_begin"),
    path("single-sign-on/back", sso.back, name="sso_back"),
    path("inactive", public(account.account_inactive), name="account_inactive"),
    path("confirm", signed_in(account.reauthenticate), name="account_reauthenticate"),
    path("password", signed_in(account.password_change), name="account_change_password"),
    path("second-factor", signed_in(mfa.index), name="mfa_index"),
    path("second-factor/ask", public(mfa.authenticate), name="mfa_authenticate"),
    path("second-factor/confirm", signed_in(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("second-factor/add", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path("second-factor/remove", signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("recovery-codes", signed_in(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("recovery-codes/new", signed_in(recovery_codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("recovery-codes/file", signed_in(recovery_codes.download_recovery_codes), name="mfa_download_recovery_codes"),
]

_WORKSPACE: list[URLPattern] = [
    path("", home.show, name="home"),
    path("problems", problems.listed, name="problems"),
    path("problems/<int:problem>", problems.show, name="problem"),
    path("problems/<int:problem>/replay", problems.replay, name="problem_replay"),
    path("problems/<int:problem>/decide", problems.decide, name="problem_decide"),
    path("problems/<int:problem>/approve", problems.approve, name="problem_approve"),
    path("problems/<int:problem>/map", problems.add_mapping, name="problem_map"),
    path("problems/<int:problem>/link", problems.link, name="problem_link"),
    path("problems/<int:problem>/owner", triage.owner, name="problem_owner"),
    path("problems/<int:problem>/comment", triage.comment, name="problem_comment"),
    path("problems/<int:problem>/snooze", triage.snooze, name="problem_snooze"),
    path("problems/chosen", triage.ask, name="problems_chosen"),
    path("problems/chosen/do", triage.do, name="problems_do"),
    path("records", records.listed, name="records"),
    path("records/<int:record>", records.show, name="record"),
    path("records/<int:record>/replay", records.replay, name="record_replay"),
    path("mappings", mappings.listed, name="mappings"),
    path("mappings/<str:integration>/<str:name>", mappings.show, name="mapping"),
    path("mappings/<str:integration>/<str:name>/publish", mappings.publish, name="mapping_publish"),
    path("mappings/<str:integration>/<str:name>/file", mapping_files.export, name="mapping_file"),
    path("mappings/<str:integration>/<str:name>/import", mapping_files.ask, name="mapping_import"),
    path("mappings/<str:integration>/<str:name>/import/publish", mapping_files.publish, name="mapping_import_publish"),
    path("mappings/<str:integration>/<str:name>/versions", mapping_files.versions, name="mapping_versions"),
    path("mappings/<str:integration>/<str:name>/restore", mapping_files.restore, name="mapping_restore"),
    path("tie-out", tie_out.listed, name="tie_outs"),
    path("tie-out/<str:integration>", tie_out.show, name="tie_out"),
    path("tie-out/<str:integration>/compute", tie_out.compute, name="tie_out_compute"),
    path("tie-out/<str:integration>/freeze", tie_out.freeze, name="tie_out_freeze"),
    path("tie-outs/<int:result>/differences", tie_out.lines, name="tie_out_lines"),
    path("tie-outs/<int:result>/csv", tie_out.table, name="tie_out_csv"),
    path("packs/<int:pack>", tie_out.pack, name="pack"),
    path("packs/<int:pack>/file", tie_out.pack_file, name="pack_file"),
    path("approvals", approvals.listed, name="approvals"),
    path("approvals/<int:approval>", approvals.show, name="approval"),
    path("approvals/<int:approval>/approve", approvals.approve, name="approval_approve"),
    path("approvals/<int:approval>/refuse", approvals.refuse, name="approval_refuse"),
    path("approvals/<int:approval>/withdraw", approvals.withdraw, name="approval_withdraw"),
    path("audit", trail.listed, name="audit"),
    path("audit/verify", trail.verify, name="audit_verify"),
    path("audit/export", trail.export, name="audit_export"),
    path("tasks/<int:task>", tasks.show, name="task"),
    path("runs", runs.listed, name="runs"),
    path("runs/start", runs.start, name="run_start"),
    path("runs/pause", runs.pause, name="run_pause"),
    path("connections", connections.listed, name="connections"),
    path("connections/<int:connection>/ping", connections.ping, name="connection_ping"),
    path("connections/<int:connection>/secrets", connections.secrets, name="connection_secrets"),
    path("settings", settings.show, name="settings"),
    path("settings/time-zone", settings.time_zone, name="settings_time_zone"),
    path("settings/people/invite", settings.invite, name="settings_invite"),
    path("settings/people/remove", settings.remove, name="settings_remove"),
    path("settings/tokens/make", settings.make_token, name="settings_token_make"),
    path("settings/tokens/revoke", settings.revoke_token, name="settings_token_revoke"),
    path("settings/people/reset", settings.reset, name="settings_reset"),
    path("settings/keys", keys.show, name="settings_keys"),
    path("settings/keys/rotate", keys.rotate, name="settings_keys_rotate"),
    path("settings/notifications", notifications.show, name="settings_notifications"),
    path("settings/notifications/add", notifications.add, name="settings_channel_add"),
    path("settings/notifications/<int:channel>/change", notifications.change, name="settings_channel_change"),
    path("settings/notifications/<int:channel>/remove", notifications.remove, name="settings_channel_remove"),
    path("settings/notifications/<int:channel>/test", notifications.test, name="settings_channel_test"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", entrance.start, name="start"),
    path("join", entrance.join, name="join"),
    path("account/", include(_ACCOUNT)),
    path("w/<str:workspace>/", include(_WORKSPACE)),
]
