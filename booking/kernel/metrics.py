"""/metrics in Prometheus' text form: requests of all processes that serve together, and figures
of the database, read when asked."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from time import perf_counter
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from booking.kernel import login
from booking.kernel.config import LOOPBACK
from booking.kernel.db import db

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Whoever passes a request on says so; then its sender is not this machine.
PASSED_ON = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")
NEEDED = "verify"  # who runs the platform


@dataclass(frozen=True)
class Figure:
    """A figure of the moment, e.g. how many mails wait."""

    name: str
    help: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


Source = Callable[[], Iterable[Figure]]


class Metrics:
    """What is counted here, and where figures are read when somebody asks."""

    def __init__(self, sources: Sequence[Source]) -> None:
        # Whether processes count together is decided when it is first imported: after `share`.
        import prometheus_client as client

        self.sources = sources
        self.client: Any = client
        self.registry = client.CollectorRegistry()
        self.requests = client.Counter(
            "booking_requests",
            "Requests answered.",
            ["endpoint", "method", "status"],
            registry=self.registry,
        )
        self.seconds = client.Histogram(
            "booking_request_seconds",
            "Time to an answer.",
            ["endpoint"],
            buckets=SECONDS,
            registry=self.registry,
        )

    def count(self, status: int) -> None:
        """Count the request that was just answered."""
        endpoint = request.endpoint or "none"
        method = request.method if request.method in _METHODS else "other"
        self.requests.labels(endpoint, method, str(status)).inc()
        if (began := g.get("began")) is not None:
            self.seconds.labels(endpoint).observe(perf_counter() - began)

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        counted = self.registry
        if os.environ.get(FOLDER):
            from prometheus_client import multiprocess

            counted = self.client.CollectorRegistry()
            multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        read = self.client.CollectorRegistry()
        read.register(_Read(self.sources))
        return bytes(self.client.generate_latest(counted) + self.client.generate_latest(read))


class _Read:
    """Figures of the database, as one collector; without the database it says so."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        families: dict[str, Any] = {}
        for figure in self._figures():
            family = families.get(figure.name)
            if family is None:
                family = GaugeMetricFamily(figure.name, figure.help, labels=list(figure.labels))
                families[figure.name] = family
            family.add_metric(list(figure.labels.values()), figure.value)
        yield from families.values()

    def _figures(self) -> list[Figure]:
        is_up = "Whether the database answers."
        try:
            found = [figure for source in self.sources for figure in source()]
        except SQLAlchemyError:
            db.session.rollback()
            return [Figure("booking_database_up", is_up, 0)]
        return [Figure("booking_database_up", is_up, 1), *found]


_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def init_metrics(app: Flask, *sources: Source) -> None:
    """Count requests and register the address."""
    app.extensions["booking_metrics"] = Metrics(sources)
    app.after_request(_count)
    app.add_url_rule("/metrics", "metrics", metrics)


def metrics() -> Response:
    """Show the figures, to a program on this machine or with an administrator's token."""
    if not _is_from_here():
        login.require_signed_in()
        login.administrator(NEEDED)
    found: Metrics = current_app.extensions["booking_metrics"]
    response = Response(found.text(), content_type=found.client.CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _count(response: Response) -> Response:
    found: Metrics = current_app.extensions["booking_metrics"]
    found.count(response.status_code)
    return response


def _is_from_here() -> bool:
    """Tell whether a program on this machine asks directly: no proxy passed it on."""
    if any(name in request.headers for name in PASSED_ON):
        return False
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    if host.strip("[]") not in LOOPBACK:
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def share() -> str:
    """Let the processes started from now on count together; returns the folder, to be removed."""
    folder = tempfile.mkdtemp(prefix="booking-metrics-")
    os.environ[FOLDER] = folder
    return folder


def stop_sharing(folder: str) -> None:
    """Remove what `share` made."""
    os.environ.pop(FOLDER, None)
    shutil.rmtree(folder, ignore_errors=True)
