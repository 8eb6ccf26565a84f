"""Instruments (NRII 单台套, domain §2.1) and where each row came from."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.accounts.models import Organisation
from booking.kernel.db import Model, Versioned, Word


class RunningState(StrEnum):
    """运行状态."""

    NORMAL = "normal"  # 正常
    OCCASIONAL = "occasional_faults"  # 偶有故障
    FREQUENT = "frequent_faults"  # 故障频繁
    REPAIR = "awaiting_repair"  # 待修
    SCRAP = "awaiting_scrapping"  # 待报废


class SharingMode(StrEnum):
    """共享模式."""

    EXTERNAL = "external"  # 外部共享
    INTERNAL = "internal"  # 内部共享
    NONE = "none"  # 不共享


class Publication(StrEnum):
    """Whether others can find it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class InstrumentType(StrEnum):
    """类别: decides the rated hours, 1400 or 800 a year (domain §3.1)."""

    GENERAL = "general"  # 通用
    SPECIAL = "special"  # 专用


class InstrumentSource(StrEnum):
    """来源."""

    PURCHASED = "purchased"  # 购置
    BUILT = "built"  # 研制
    DONATED = "donated"  # 赠送
    OTHER = "other"  # 其他


class Funds(StrEnum):
    """购置经费来源."""

    CENTRAL = "central"  # 中央财政
    LOCAL = "local"  # 地方财政
    OWN = "own"  # 单位自有
    OTHER = "other"  # 其他


class Instrument(Versioned, Model):
    """An entry of the registry: one machine, or `units` identical ones, of one institution."""

    __tablename__ = "instruments"
    __table_args__ = (
        UniqueConstraint("institution_id", "inner_id", name="uq_instruments_inner_id"),
        CheckConstraint("units BETWEEN 1 AND 99", name="units"),
        CheckConstraint("category_code ~ '^[0-9]{6}$'", name="category_code"),
        Index("ix_instruments_tokens", "search_tokens", postgresql_using="gin"),
        Index("ix_instruments_category", "category_code", "region_code"),
        Index("ix_instruments_region", "region_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey(Organisation.id), index=True)
    institution: Mapped[Organisation] = relationship(lazy="raise")
    inner_id: Mapped[str]  # 所属单位仪器编号, unique per owner
    name: Mapped[str]  # 仪器设备名称
    english_name: Mapped[str] = mapped_column(default="")
    category_scheme: Mapped[str] = mapped_column(default="nrii")
    category_code: Mapped[str] = mapped_column(default="990000")
    instrument_type: Mapped[InstrumentType] = mapped_column(
        Word(InstrumentType), default=InstrumentType.GENERAL
    )
    source: Mapped[InstrumentSource | None] = mapped_column(Word(InstrumentSource))
    worth_wan: Mapped[Any | None] = mapped_column(Numeric(12, 2))  # 原值, 万元
    funds: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    nation: Mapped[str] = mapped_column(default="")
    manufacturer: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")  # 规格型号
    commissioned_on: Mapped[date | None] = mapped_column(Date)
    subjects: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    technical: Mapped[str] = mapped_column(default="")  # 主要技术指标
    functions: Mapped[str] = mapped_column(default="")  # 主要功能
    service_content: Mapped[str] = mapped_column(default="")
    achievement: Mapped[str] = mapped_column(default="")
    requirement: Mapped[str] = mapped_column(default="")  # 用户须知
    fee_note: Mapped[str] = mapped_column(default="")  # 参考收费标准, free text
    service_url: Mapped[str] = mapped_column(default="")
    standards: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)  # 方法标准号
    region_code: Mapped[str | None]
    place: Mapped[str] = mapped_column(default="")  # as given, also outside GB/T 2260
    street: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    postal_code: Mapped[str] = mapped_column(default="")
    running_state: Mapped[RunningState] = mapped_column(
        Word(RunningState), default=RunningState.NORMAL
    )
    sharing_mode: Mapped[SharingMode] = mapped_column(
        Word(SharingMode), default=SharingMode.EXTERNAL
    )
    customs_supervised: Mapped[bool] = mapped_column(default=False)
    customs_declaration: Mapped[str] = mapped_column(default="")  # 报关单号, 18
    customs_item: Mapped[str] = mapped_column(default="")  # 项号, 2
    customs_released_on: Mapped[date | None] = mapped_column(Date)
    customs_goods_name: Mapped[str] = mapped_column(default="")
    attached_to: Mapped[str] = mapped_column(default="")  # 附属于中心/设施/实验室
    rated_hours: Mapped[int | None]  # 额定机时 a year; None: by type
    units: Mapped[int] = mapped_column(default=1)
    time_zone: Mapped[str] = mapped_column(default="Asia/Shanghai")
    # The last days it may be used by its verification and calibration; None: nothing limits it.
    # Worked out by qualifications whenever one of them changes; `booking verify` compares.
    verified_until: Mapped[date | None] = mapped_column(Date)
    calibrated_until: Mapped[date | None] = mapped_column(Date)
    publication: Mapped[Publication] = mapped_column(Word(Publication), default=Publication.DRAFT)
    published_at: Mapped[datetime | None]
    contributed_by: Mapped[int | None]  # user
    source_format: Mapped[str] = mapped_column(default="")
    # The imported row, whole. It and the search index are wide: read only when asked for.
    source_row: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    search_text: Mapped[str] = mapped_column(default="", deferred=True)
    search_tokens: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, deferred=True)
    name_pinyin: Mapped[str] = mapped_column(default="", index=True)  # sorts Chinese names

    @property
    def zone(self) -> ZoneInfo:
        """Return its time zone: its hours and its pages go by the clock on the lab's wall."""
        return ZoneInfo(self.time_zone)
