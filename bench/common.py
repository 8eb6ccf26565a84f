"""A scratch database with production durability, real servers, plain clients, percentiles."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from booking.kernel import postgres

ROOT = Path(__file__).resolve().parent.parent
WORKERS, THREADS, CLIENTS = 2, 4, 8


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    """A folder on the disk the program would use, removed afterwards."""
    parent = ROOT / "var"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        yield folder
    finally:
        postgres.embedded(folder).release()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(target: str, folder: Path) -> Iterator[int]:
    """gunicorn with the program's own settings on `module:app`; yields its port."""
    port = free_port()
    env = os.environ | {
        "BOOKING_DATA_DIR": str(folder),
        "BOOKING_ACCESS_LOG": "true",
        "BASE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "gunicorn", target, "-b", f"127.0.0.1:{port}"]
    command += ["-w", str(WORKERS), "--threads", str(THREADS), "-k", "gthread"]
    command += ["--log-level", "warning", "--keep-alive", "60"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def processor_seconds(folder: Path) -> float:
    """Processor time that the servers started here and the folder's database have used so far.

    Unlike rates it hardly depends on what else the machine does. Linux only.
    """
    database = int(next(folder.rglob("postmaster.pid")).read_text().split()[0])
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    ours = {database, os.getpid()}
    while grown := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= grown
    return sum(map(_scheduled, ours - {os.getpid()}))


def _scheduled(pid: int) -> float:
    seconds = 0.0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            seconds += int(thread.read_text().split()[0]) / 1e9
    return seconds


def _wait(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            status, _ = Client(port).get("/healthz")
            if status == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the benchmark's server did not start")


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        self.connection.request("GET", path, headers=self.headers | headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def send(
        self, method: str, path: str, body: dict[str, Any], **headers: str
    ) -> tuple[int, bytes]:
        raw = json.dumps(body).encode()
        self.connection.request(method, path, raw, self.headers | headers)
        response = self.connection.getresponse()
        return response.status, response.read()


@dataclass
class Measured:
    """What a load showed."""

    rate: float
    seconds: list[float]
    statuses: dict[int, int]

    def p(self, percent: float) -> float:
        """A percentile in milliseconds."""
        return percentile(self.seconds, percent)


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Return the percentile in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def load(clients: int, each: Callable[[int], Iterator[Callable[[], int]]]) -> Measured:
    """Run every client's calls in its own thread; a call returns the status it got."""
    seconds: list[float] = []
    statuses: dict[int, int] = {}
    lock = threading.Lock()
    gate = threading.Barrier(clients + 1)

    def run(number: int) -> None:
        mine: list[float] = []
        found: dict[int, int] = {}
        calls = each(number)
        gate.wait()
        for call in calls:
            began = time.perf_counter()
            status = call()
            mine.append(time.perf_counter() - began)
            found[status] = found.get(status, 0) + 1
        with lock:
            seconds.extend(mine)
            for status, count in found.items():
                statuses[status] = statuses.get(status, 0) + count

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return Measured(len(seconds) / (time.perf_counter() - began), seconds, statuses)


def timed(count: int, call: Callable[[], Any]) -> list[float]:
    """Return the seconds of each of `count` calls."""
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """Return the median of several runs."""
    return statistics.median(measure() for _ in range(runs))


def line(name: str, figure: float, unit: str, beside: str, *, good: bool | None = None) -> None:
    """Print a result: `name: figure unit (limit or peer: figure)`."""
    verdict = "" if good is None else "  ok" if good else "  MISSED"
    print(f"{name}: {figure:.1f} {unit} ({beside}){verdict}", flush=True)
