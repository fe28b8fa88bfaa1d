from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "ml_connector.vault"
    label = "vault"
