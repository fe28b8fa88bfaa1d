"""One Workspace's rows are out of another's reach, in every model (R74)."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import UniqueConstraint

from ml_connector.workspaces.models import WorkspaceModel, WorkspaceRequired

MODELS = [model for model in apps.get_models() if issubclass(model, WorkspaceModel)]
SHARED_ON_PURPOSE = {("Connection", "credential")}
"""A credential's limits are the vendor's: no two Workspaces may use the same one."""


def test_there_are_models_to_walk():
    assert {"Record", "Attempt", "Link", "Problem", "Connection", "AuditEntry", "Run"} <= {m.__name__ for m in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_query_that_names_no_workspace_is_refused(model):  # R74
    for ask in (model.objects.all, model.objects.count, model.objects.first, lambda: model.objects.filter(pk=1)):
        with pytest.raises(WorkspaceRequired):
            ask()
    with pytest.raises(WorkspaceRequired):
        model.objects.create()
    with pytest.raises(WorkspaceRequired):
        model.objects.bulk_create([model()])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_unique_is_unique_within_its_workspace(model):  # R74
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            assert "workspace" in constraint.fields, constraint.name
    unique = {field.name for field in model._meta.fields if field.unique and not field.primary_key}
    assert {(model.__name__, name) for name in unique} <= SHARED_ON_PURPOSE
