from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "ml_connector.console"
    label = "console"

    def ready(self) -> None:
        from ml_connector.console import signing_in  # noqa: F401, PLC0415 (connects its receivers once apps are there)
