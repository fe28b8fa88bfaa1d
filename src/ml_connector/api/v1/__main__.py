"""Writes the OpenAPI document and the tables of its page anew: ./run openapi"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import django


def main(directory: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
    django.setup()
    document = import_module("ml_connector.api.v1.document")
    (directory / "openapi.json").write_text(document.text())
    page = directory / "api.md"
    page.write_text(document.with_tables(page.read_text()))


main(Path(sys.argv[1]))
