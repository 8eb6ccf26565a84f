"""Free slots, a month, text search and the pages of the firm at 10,000 instruments."""

import statistics
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from sqlalchemy import text

from bench.common import Client, data_folder, line, percentile, server, timed
from bench.world import fill, firm_token, world
from booking.kernel.db import db

INSTRUMENTS, OCCUPANCIES = 10_000, 1_000_000
REQUESTS, RUNS = 60, 3
RAW = text("""
SELECT o.instrument_id, o.starts_at, o.ends_at FROM occupancies o
  JOIN instruments i ON i.id = o.instrument_id
 WHERE i.category_code LIKE '0101%' AND i.region_code LIKE '4301%'
   AND o.ends_at > now() AND o.starts_at < now() + interval '7 days'
""")
LIMITS = {
    "free slots, category and region": 30,
    "availability of a month": 15,
    "text search": 30,
    "page of results": 80,
    "page that finds nothing": 80,
    "page of an instrument": 60,
    "suggestions": 30,
}


def run(*, large: bool) -> None:
    """Print each p95 beside its limit; with `large` the same at five million occupancies."""
    first = _at(OCCUPANCIES)
    if large:
        for name, p95 in _at(5 * OCCUPANCIES).items():
            ratio = p95 / first[name]
            line(f"{name} at 5 M against 1 M", ratio, "times", "limit: 1.3", good=ratio <= 1.3)


def _at(occupancies: int) -> dict[str, float]:
    with data_folder() as folder, world(folder) as _:
        fill(INSTRUMENTS, occupancies)
        token = firm_token()
        raw = percentile(timed(REQUESTS, lambda: db.session.execute(RAW).all()), 95)
        db.session.rollback()
        some = db.session.scalars(text("SELECT id FROM instruments ORDER BY id LIMIT 50")).all()
        db.session.rollback()
        with server("wsgi:app", folder) as port:
            client = Client(port, token)
            return {
                name: _measure(name, client, addresses, raw)
                for name, addresses in _requests(list(some)).items()
            }


def _requests(ids: list[int]) -> dict[str, list[str]]:
    month = urlencode({"from": "2026-12-01T00:00:00+08:00", "to": "2026-12-31T00:00:00+08:00"})
    free = [
        "/api/v1/free-slots?"
        + urlencode({"category": f"01{n:02d}", "region": "4301", "minutes": 120})
        for n in range(1, 13)
    ]
    words = ("试验机", "电镜", "质谱", "lali", "dzwn", "M-77", "显微", "硬度计", "盐雾", "X射线")
    return {
        "free slots, category and region": free,
        "availability of a month": [f"/api/v1/instruments/{n}/availability?{month}" for n in ids],
        "text search": [f"/api/v1/instruments?{urlencode({'q': word})}" for word in words],
        "page of results": _pages(words, minutes=120),
        # The world has gaps of three hours at most; and names that nobody has.
        "page that finds nothing": [
            *_pages(words, minutes=240),
            *_pages(("电子万能试验击", "扫描电子显微境 1234", "dianzixianweijig"), minutes=120),
        ],
        "page of an instrument": [f"/instruments/{n}?minutes=120" for n in ids],
        "suggestions": [f"/instruments/suggestions?{urlencode({'q': word})}" for word in words],
    }


def _pages(words: Sequence[str], *, minutes: int) -> list[str]:
    asked = [
        {},
        *({"q": word} for word in words),
        *({"category": f"01{n:02d}", "region": "4301"} for n in range(1, 13)),
    ]
    return [f"/instruments?{urlencode(each | {'minutes': minutes})}" for each in asked]


def _measure(name: str, client: Client, addresses: list[str], raw: float) -> float:
    def once(call: Callable[[], None]) -> float:
        return percentile(timed(REQUESTS, call), 95)

    numbers = iter(range(10**9))

    def ask() -> None:
        address = addresses[next(numbers) % len(addresses)]
        status, body = client.get(address)
        assert status == 200, (address, body)

    timed(len(addresses), ask)
    p95 = statistics.median(once(ask) for _ in range(RUNS))
    limit = LIMITS[name]
    line(f"{name}: p95", p95, "ms", f"limit: {limit} ms, raw SQL {raw:.1f} ms", good=p95 <= limit)
    return p95
