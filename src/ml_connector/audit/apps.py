from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "ml_connector.audit"
    label = "audit"
