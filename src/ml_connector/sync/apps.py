from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "ml_connector.sync"
    label = "sync"
