"""Addresses for people. Each view says who may call it."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, URLResolver, include, path

from ml_connector.console.access import public, signed_in
from ml_connector.console.views import (
    connections,
    entrance,
    first_minutes,
    home,
    mappings,
    problems,
    records,
    runs,
    settings,
)

_ACCOUNT: list[URLPattern] = [
    path("sign-in", public(account.login), name="account_login"),
    path("sign-out", public(account.logout), name="account_logout"),
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
    path("records", records.listed, name="records"),
    path("records/<int:record>", records.show, name="record"),
    path("records/<int:record>/replay", records.replay, name="record_replay"),
    path("mappings", mappings.listed, name="mappings"),
    path("mappings/<str:integration>/<str:name>", mappings.show, name="mapping"),
    path("mappings/<str:integration>/<str:name>/publish", mappings.publish, name="mapping_publish"),
    path("runs", runs.listed, name="runs"),
    path("runs/start", runs.start, name="run_start"),
    path("runs/pause", runs.pause, name="run_pause"),
    path("connections", connections.listed, name="connections"),
    path("connections/<int:connection>/ping", connections.ping, name="connection_ping"),
    path("connections/<int:connection>/edit", connections.edit, name="connection_edit"),
    path("connections/<int:connection>/secrets", connections.secrets, name="connection_secrets"),
    path("connections/<int:connection>/secrets/approve", connections.approve_secrets, name="connection_approve"),
    path("connections/<int:connection>/secrets/withdraw", connections.withdraw_secrets, name="connection_withdraw"),
    path("first-minutes", first_minutes.choose, name="first_minutes"),
    path("first-minutes/try", first_minutes.try_it, name="first_minutes_try"),
    path("first-minutes/<str:kind>/<str:integration>", first_minutes.show, name="first_minutes_of"),
    path("first-minutes/<str:kind>/<str:integration>/read", first_minutes.read, name="first_minutes_read"),
    path("first-minutes/<str:kind>/<str:integration>/map", first_minutes.map_exact, name="first_minutes_map"),
    path("first-minutes/<str:kind>/<str:integration>/preview", first_minutes.preview, name="first_minutes_preview"),
    path("first-minutes/<str:kind>/<str:integration>/start", first_minutes.start, name="first_minutes_start"),
    path("first-minutes/<str:kind>/<str:integration>/end", first_minutes.end_trial, name="first_minutes_end"),
    path(
        "first-minutes/<str:kind>/<str:integration>/connect/<str:side>",
        first_minutes.connect,
        name="first_minutes_connect",
    ),
    path("settings", settings.show, name="settings"),
    path("settings/time-zone", settings.time_zone, name="settings_time_zone"),
    path("settings/people/invite", settings.invite, name="settings_invite"),
    path("settings/people/remove", settings.remove, name="settings_remove"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", entrance.start, name="start"),
    path("join", entrance.join, name="join"),
    path("account/", include(_ACCOUNT)),
    path("w/<str:workspace>/", include(_WORKSPACE)),
]
