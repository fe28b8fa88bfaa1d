"""What the process from which others are forked imports: all of the product, and nothing that opens a connection."""

from __future__ import annotations

import importlib
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
django.setup()

for name in ("ml_connector.cli.app", "ml_connector.jobs.worker", "ml_connector.conformance.databases"):
    importlib.import_module(name)
