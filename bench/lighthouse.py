"""What Lighthouse gives the pages a newcomer sees first, on a phone with a slow line.

Its phone profile: a mid-range processor (four times slower) and a slow 4G line, simulated.
"""

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
from typing import Any

from bench.common import ROOT, data_folder, line, server
from bench.world import world
from booking import demo
from booking.kernel.db import transaction

PROGRAM = ROOT / "frontend" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = {"home": "/", "results": "/instruments", "instrument": "/instruments/1?minutes=120"}
LIMITS = {"performance": 95, "accessibility": 100}
RUNS = 3
# Root has no sandbox; shared memory is small in containers.
FLAGS = "--headless=new --no-sandbox --disable-dev-shm-usage"


def run(*, large: bool) -> None:
    """Print the median score of each page and category, and what costs the points."""
    command = _command()
    with data_folder() as folder, world(folder):
        with transaction():
            demo.load()
        with server("wsgi:app", folder) as port:
            for name, path in PAGES.items():
                address = f"http://127.0.0.1:{port}{path}"
                _judge(name, [_report(command, address) for _ in range(RUNS)])


def _judge(page: str, reports: list[dict[str, Any]]) -> None:
    for category, limit in LIMITS.items():
        scores = [report["categories"][category]["score"] * 100 for report in reports]
        figure = statistics.median(scores)
        beside = f"limit: {limit}, {', '.join(_lost(reports[-1], category)) or 'nothing lost'}"
        name = f"lighthouse, {page} page: {category}"
        line(name, figure, "of 100", beside, good=figure >= limit)


def _lost(report: dict[str, Any], category: str) -> list[str]:
    """Return the audits that count and are not perfect, with their value."""
    weighed = [each["id"] for each in report["categories"][category]["auditRefs"] if each["weight"]]
    audits = [report["audits"][each] for each in weighed]
    return [
        f"{audit['id']} {audit.get('displayValue', '')}".replace("\xa0", " ").strip()
        for audit in audits
        if audit["score"] is not None and audit["score"] < 1
    ]


def _report(command: list[str], address: str) -> dict[str, Any]:
    """Return one run's report; a browser that dies is started once more."""
    asked = [*command, address, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"]
    asked += [f"--only-categories={','.join(LIMITS)}", "--no-enable-error-reporting"]
    for _ in range(2):
        done = subprocess.run(
            asked, check=False, capture_output=True, text=True, env=_environment()
        )
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(done.stdout)
            return report
    raise SystemExit(f"lighthouse gave no report of {address}: {done.stderr[-2000:]}")


def _environment() -> dict[str, str]:
    return os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}


def _command() -> list[str]:
    """Return node with the program, or stop with what to install."""
    if not PROGRAM.is_file():
        raise SystemExit("no lighthouse: run .venv/bin/python frontend/install.py --dev")
    if shutil.which("chromium") is None:
        raise SystemExit("no chromium: run deploy/test-packages.sh")
    spec = importlib.util.spec_from_file_location("install", ROOT / "frontend" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    install = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install)
    return [install.find_npm()[0], str(PROGRAM)]
