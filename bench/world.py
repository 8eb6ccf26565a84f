"""The data the benchmarks stand on, written in bulk through one application context."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from booking.accounts.rules import Role
from booking.app import create_app
from booking.availability.models import NO_OVERLAP
from booking.kernel.db import db, transaction
from booking.reference import service as reference
from booking.registry import service as registry
from tests import factories

DAY = 24 * 60
ALWAYS = {day: [(0, DAY)] for day in range(7)}
WORKDAYS = {day: [(480, 1080)] for day in range(5)}
COMING_DAYS = 15  # that are taken, however much is past: the answers must not grow with the rows
NAMES = (
    "电子万能试验机", "扫描电子显微镜", "电感耦合等离子体质谱仪", "高低温湿热试验箱",
    "气相色谱质谱联用仪", "X射线衍射仪", "傅里叶变换红外光谱仪", "三坐标测量机",
    "盐雾试验箱", "原子吸收分光光度计", "热重分析仪", "洛氏硬度计",
    "冲击试验机", "疲劳试验机", "激光粒度分析仪", "电磁兼容测试系统",
)  # fmt: skip


@contextlib.contextmanager
def world(folder: Path) -> Iterator[Flask]:
    """A migrated, seeded database in the folder, and an application on it."""
    app = create_app("production", DATA_DIR=str(folder), ACCESS_LOG=False)
    with app.app_context():
        upgrade()
        with transaction():
            reference.seed()
        yield app
        db.session.remove()
        db.engine.dispose()


def firm_token() -> str:
    """The secret of a token of a new firm's member."""
    with transaction():
        user = factories.make_user(factories.make_organisation(), Role.MEMBER)
        return factories.bearer(user)["Authorization"].removeprefix("Bearer ")


def bookable(count: int, **given: object) -> list[int]:
    """Ids of instruments open day and night, at any notice, for a year."""
    schedule = {"lead_minutes": 0, "horizon_days": 366, "shortest_minutes": 30,
                "observes_holidays": False, "change_until_minutes": 0}  # fmt: skip
    with transaction():
        owner = factories.make_institution()
        return [
            factories.make_instrument(
                institution=owner, schedule=schedule, hours=ALWAYS, **given
            ).id
            for _ in range(count)
        ]


def fill(instruments: int, occupancies: int) -> None:
    """Bulk: instruments over all categories and Hunan's cities, half their time taken.

    Slots of two hours at 8:00, 10:30, 13:00 and 15:30, so that each day keeps gaps; a third of
    the instruments have the third one in the evening, and three free hours at noon.
    """
    with transaction():
        owners = [factories.make_institution().id for _ in range(50)]
        db.session.execute(
            _INSTRUMENTS, {"count": instruments, "owners": owners, "names": list(NAMES)}
        )
        for statement in (_SCHEDULES, _HOURS, _PRICES):
            db.session.execute(text(statement))
    with transaction():
        for setting in ("statement_timeout = 0", "maintenance_work_mem = '1GB'"):
            db.session.execute(text(f"SET LOCAL {setting}"))
        # Built at once the constraint's index takes a fifth of the time.
        guard = db.session.scalar(_GUARD, {"name": NO_OVERLAP})
        db.session.execute(text(f"ALTER TABLE occupancies DROP CONSTRAINT {NO_OVERLAP}"))
        db.session.execute(_OCCUPANCIES, {"per": occupancies // instruments, "coming": COMING_DAYS})
        db.session.execute(text(f"ALTER TABLE occupancies ADD CONSTRAINT {NO_OVERLAP} {guard}"))
    with transaction():
        registry.reindex()
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


_GUARD = text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
_INSTRUMENTS = text("""
INSERT INTO instruments (institution_id, inner_id, name, english_name, category_scheme,
    category_code, instrument_type, funds, nation, manufacturer, model, subjects, technical,
    functions, service_content, achievement, requirement, fee_note, service_url, standards,
    region_code, place, street, department, contact, phone, email, postal_code, running_state,
    sharing_mode, customs_supervised, customs_declaration, customs_item, customs_goods_name,
    attached_to, units, time_zone, publication, published_at, source_format, search_text,
    search_tokens, name_pinyin, version, created_at, updated_at)
SELECT (CAST(:owners AS bigint[]))[1 + n % 50], 'B' || n,
       (CAST(:names AS text[]))[1 + n % 16] || ' ' || n, '', 'nrii',
       (SELECT code FROM (SELECT code, row_number() OVER (ORDER BY code) AS r FROM categories) c
         WHERE r = 1 + (n * 7) % 700), 'general', '{}', '', '', 'M-' || n, '{}', '', '', '', '',
       '', '', '', '{}', (ARRAY['430100','430200','430300','430400','430500','430600','430700',
       '430800','430900','431000','431100','431200','431300','433100'])[1 + n % 14], '', '', '',
       '', '', '', '', 'normal', 'external', false, '', '', '', '', 1, 'Asia/Shanghai',
       'published', now(), '', '', '{}', '', 1, now(), now()
  FROM generate_series(1, :count) n
""")
_SCHEDULES = """
INSERT INTO schedules (instrument_id, grid_minutes, shortest_minutes, longest_minutes,
    lead_minutes, horizon_days, change_until_minutes, buffer_before_minutes,
    buffer_after_minutes, observes_holidays, version, created_at, updated_at)
SELECT id, 30, 60, 480, 120, 60, 1440, 0, 0, true, 1, now(), now() FROM instruments
"""
_HOURS = """
INSERT INTO opening_hours (instrument_id, weekday, opens_minute, closes_minute)
SELECT i.id, d, 480, 1080 FROM instruments i, generate_series(0, 4) d
"""
_PRICES = """
INSERT INTO prices (instrument_id, customer_class, per_hour_minor, per_hour_currency,
    discount_percent, discount_reason, published_at)
SELECT i.id, c, 10000 + i.id % 40000, 'CNY', 10, '', now() - interval '90 days'
  FROM instruments i, unnest(ARRAY['sme', 'large', 'research']) c
"""
_OCCUPANCIES = text("""
INSERT INTO occupancies (instrument_id, unit, starts_at, ends_at, kind)
SELECT i.id, 1, s.at, s.at + interval '2 hours', 'reservation'
  FROM (SELECT id FROM instruments) i
 CROSS JOIN generate_series(0, :per - 1) k
 CROSS JOIN LATERAL (SELECT date_trunc('day', now()) - interval '8 hours'
        + make_interval(days => (k / 4 - (:per / 4 - :coming))::int)
        + make_interval(mins => CASE WHEN k % 4 = 2 AND i.id % 3 = 0 THEN 1200
                                     ELSE 480 + ((k % 4) * 150)::int END) AS at) s
""")
