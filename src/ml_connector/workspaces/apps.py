from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "ml_connector.workspaces"
    label = "workspaces"
