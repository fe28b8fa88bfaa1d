"""The command line. Everything that the console will do can be done here."""

from __future__ import annotations

import importlib
import os

import django


def main() -> None:
    """Entry point of `ml-connector`. The models can only be imported once Django knows its settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
    django.setup()
    importlib.import_module("ml_connector.cli.app").run()
