"""What a process imports: only the one that answers over HTTP pays for the API."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("ninja", "pydantic", "pydantic_core")

WORKER = """
import os, sys, json, threading
os.environ["DJANGO_SETTINGS_MODULE"] = "ml_connector.settings"
from ml_connector import cli
import django
django.setup()
import ml_connector.cli.app
from ml_connector.cli.work import work
import ml_connector.jobs.worker as worker
stop = threading.Event()
threading.Timer(3.0, stop.set).start()
worker.run_worker(work(), 2, stop)
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in sys.argv[1:])))
"""

WEB = """
import os, sys, json
from ml_connector.api import wsgi
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:]))))
"""


def imported(script):
    command = [sys.executable, "-c", script, *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_worker_imports_nothing_of_the_api(workspace):
    assert imported(WORKER) == []


def test_the_web_process_imports_it_before_its_first_request(workspace):
    assert imported(WEB) == sorted(HEAVY)
