"""What the web server runs."""

from __future__ import annotations

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")

application = get_wsgi_application()
import_module("ml_connector.console.security").use_lasting_key()
# Now, and not with the first request: the JSON API takes long to import.
import_module("ml_connector.urls")
