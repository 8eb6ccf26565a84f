"""A small believable Hunan: made through our own services, the same for a given day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from stdnum.cn import uscc

from booking.accounts import queries as accounts
from booking.accounts import service as accounts_service
from booking.accounts.models import Organisation
from booking.accounts.rules import Caller, CustomerClass, OrganisationKind, Role, Scope, SizeClass
from booking.accounts.service import NewOrganisation, NewPerson
from booking.availability import service as availability
from booking.availability.models import OccupancyKind
from booking.availability.rules import Terms
from booking.kernel import clock
from booking.kernel.money import Money
from booking.kernel.timeslot import TimeSlot
from booking.reference import queries as reference
from booking.registry import service as registry
from booking.reservations import service as reservations
from booking.tariffs import service as tariffs

PASSWORD = "demo-xiangjiang"  # noqa: S105 - printed at every start, for demo data only
LOG_INS = {
    "firm@demo.example": "长沙精工机械有限公司（企业）",
    "lab@demo.example": "湖南省计量检测研究院（机构）",
    "province@demo.example": "湖南省市场监督管理局（省局）",
    "window@demo.example": "长沙高新区质量服务窗口（窗口）",
    "admin@demo.example": "平台运营（管理员）",
}
HISTORY = timedelta(days=100)
WEEK = {day: [(510, 720), (840, 1050)] for day in range(5)}  # 08:30-12:00, 14:00-17:30
LONG_WEEK = {day: [(480, 1320)] for day in range(6)}
EVERY_CLASS = {CustomerClass.SME: 20, CustomerClass.LARGE: 0, CustomerClass.RESEARCH: 10}


@dataclass(frozen=True)
class _Machine:
    owner: str
    category: str
    name: str
    model: str
    maker: str
    yuan_per_hour: str
    technical: str
    standards: tuple[str, ...] = ()
    units: int = 1
    week: str = "short"


MACHINES = (
    _Machine("lab", "020101", "电子万能试验机", "CMT5105", "深圳某试验机厂", "180.00",
             "最大试验力 100 kN；准确度 0.5 级；试验速度 0.001–500 mm/min",
             ("GB/T 228.1-2021", "GB/T 1040.2-2022"), units=2),
    _Machine("lab", "020101", "微机控制电液伺服万能试验机", "SHT4605", "深圳某试验机厂", "260.00",
             "最大试验力 600 kN；准确度 1 级", ("GB/T 228.1-2021",)),
    _Machine("lab", "010102", "场发射扫描电子显微镜", "SU5000", "日立", "420.00",
             "分辨率 1.2 nm（30 kV）；配能谱仪", ("GB/T 16594-2008",), week="long"),
    _Machine("lab", "010202", "电感耦合等离子体质谱仪", "NexION 2000", "珀金埃尔默", "350.00",
             "检出限 ppt 级；碰撞反应池", ("GB 5009.268-2016",)),
    _Machine("lab", "990000", "高低温交变湿热试验箱", "GDJS-500", "重庆某环境设备厂", "60.00",
             "容积 500 L；-70–150 ℃；20–98 %RH", ("GB/T 2423.3-2016",), units=3, week="long"),
    _Machine("zhuzhou", "020101", "电子万能试验机", "AGX-V 50kN", "岛津", "150.00",
             "最大试验力 50 kN；准确度 0.5 级", ("GB/T 228.1-2021",)),
    _Machine("zhuzhou", "020101", "高频疲劳试验机", "QBG-100", "长春某试验机厂", "200.00",
             "最大负荷 ±100 kN；频率 80–250 Hz", ("GB/T 3075-2021",), week="long"),
    _Machine("zhuzhou", "030127", "三坐标测量机", "PRISMO 7", "蔡司", "300.00",
             "测量范围 700×900×500 mm；MPE 0.9+L/350 µm", ("GB/T 16857.2-2017",)),
    _Machine("hengyang", "010201", "气相色谱质谱联用仪", "8890-5977B", "安捷伦", "220.00",
             "质量范围 1.6–1050 amu", ("GB 23200.8-2016",)),
    _Machine("hengyang", "010403", "原子吸收分光光度计", "AA-7000", "岛津", "90.00",
             "火焰和石墨炉；自动进样", ("GB 5009.12-2023",)),
    _Machine("hengyang", "020102", "洛氏硬度计", "HR-150D", "莱州某仪器厂", "40.00",
             "标尺 HRA/HRB/HRC", ("GB/T 230.1-2018",)),
)  # fmt: skip
OWNERS = {
    "lab": ("湖南省计量检测研究院", "430100", "长沙市雨花区示例路 1 号"),
    "zhuzhou": ("株洲市轨道交通检测中心", "430200", "株洲市石峰区示例路 2 号"),
    "hengyang": ("衡阳市产品质量检验所", "430400", "衡阳市蒸湘区示例路 3 号"),
}
FIRMS = {
    "firm": ("长沙精工机械有限公司", "430100", "34", SizeClass.SMALL),
    "xiangtan": ("湘潭新材料科技有限公司", "430300", "30", SizeClass.MEDIUM),
    "liuyang": ("浏阳市张记五金加工店", "430181", "33", SizeClass.SOLE_TRADER),
    "large": ("湖南大型装备集团股份有限公司", "430100", "35", SizeClass.LARGE),
}
# Customer, machine, working days from today, hour of start, hours, purpose.
BOOKINGS = (
    ("firm", 0, -12, 9, 2, "焊接接头拉伸"),
    ("firm", 4, -9, 9, 8, "控制柜湿热试验"),
    ("xiangtan", 2, -8, 14, 3, "断口形貌观察"),
    ("liuyang", 10, -6, 15, 1, "螺栓硬度抽检"),
    ("large", 7, -5, 9, 3, "箱体孔系检测"),
    ("firm", 0, 2, 9, 2, "新批次钢板拉伸"),
    ("xiangtan", 0, 2, 9, 3, "复合材料弯曲"),
    ("firm", 2, 3, 14, 3, "涂层厚度与成分"),
    ("liuyang", 10, 3, 15, 2, "来料硬度"),
    ("large", 6, 4, 8, 8, "车轴疲劳试验"),
    ("xiangtan", 3, 5, 9, 2, "杂质元素分析"),
    ("firm", 7, 6, 14, 2, "首件检测"),
)


def load() -> bool:
    """Load the data once; returns whether there was anything to do. The caller commits."""
    if accounts.user_by_login("firm@demo.example") is not None:
        return False
    with clock.pretend(clock.now() - HISTORY):
        admin = _admin()
        owners = {key: _institution(key, admin) for key in OWNERS}
        firms = {key: _firm(key) for key in FIRMS}
        _authorities()
        machines = [_machine(machine, owners[machine.owner]) for machine in MACHINES]
    for customer, machine, days, hour, hours, purpose in BOOKINGS:
        slot = _slot(days, hour, hours)
        with clock.pretend(min(clock.now(), slot.starts_at - timedelta(days=3))):
            reservations.reserve(machines[machine], slot, caller=firms[customer], purpose=purpose)
    reservations.close(
        machines[5],
        _slot(4, 9, 8),
        OccupancyKind.CALIBRATION,
        caller=owners["zhuzhou"],
        reason="年度校准",
    )
    return True


def welcome(address: str) -> Iterator[str]:
    """Yield what is printed at start: log-ins and three things to try. The caller commits."""
    user = accounts.user_by_login("firm@demo.example")
    if user is None:
        return
    _, token = accounts_service.issue_token(
        user.id, scopes=list(Scope), days=1, name="demo", by=None
    )
    slot = _slot(7, 9, 2)
    yield f"仪器共享服务 · 演示数据  {address}"
    yield f"登录（密码都是 {PASSWORD}）："
    yield from (f"  {email:24} {who}" for email, who in LOG_INS.items())
    yield "试一试："
    yield f"  1. 浏览器打开 {address}/api/docs"
    yield "  2. 找一台空闲的试验机，约下来："
    yield f"     curl '{address}/api/v1/free-slots?category=0201&region=4301&minutes=120'"
    yield f"     curl -X POST {address}/api/v1/reservations \\"
    yield f"       -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\"
    yield (
        f'       -d \'{{"instrument_id": 1, "starts_at": "{slot.starts_at.isoformat()}", '
        f'"ends_at": "{slot.ends_at.isoformat()}", "purpose": "拉伸试验"}}\''
    )
    yield f"  3. 用日历软件订阅 {address}/calendars/instruments/1.ics"


def _code(prefix: str, number: int) -> str:
    """Return a valid credit code that no real organisation has: its subject code says DEM0."""
    body = f"{prefix}DEM0{number:05d}"
    return body + str(uscc.calc_check_digit(body))


def _admin() -> Caller:
    person = NewPerson(name="平台管理员", email="admin@demo.example", password=PASSWORD)
    user = accounts_service.make_admin(person)
    return accounts.caller_of(user)


def _institution(key: str, admin: Caller) -> Caller:
    name, region, address = OWNERS[key]
    organisation = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.INSTITUTION,
            name=name,
            uscc=_code(f"12{region}", 100 + list(OWNERS).index(key)),
            region_code=region,
            address=address,
        ),
        by=None,
    )
    accounts_service.verify_organisation(organisation.id, caller=admin)
    return _person(key, organisation, Role.MANAGER)


def _firm(key: str) -> Caller:
    name, region, industry, size = FIRMS[key]
    organisation = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.ENTERPRISE,
            name=name,
            uscc=_code(f"91{region}", 200 + list(FIRMS).index(key)),
            region_code=region,
            industry_code=industry,
            size_class=size,
        ),
        by=None,
    )
    return _person(key, organisation, Role.MANAGER)


def _authorities() -> None:
    province = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.AUTHORITY,
            name="湖南省市场监督管理局",
            uscc=_code("11430000", 1),
            region_code="430000",
        ),
        by=None,
    )
    _person("province", province, Role.PROVINCE)
    window = accounts_service.register_organisation(
        NewOrganisation(
            kind=OrganisationKind.WINDOW,
            name="长沙高新区质量服务窗口",
            uscc=_code("12430100", 2),
            region_code="430104",
        ),
        by=None,
    )
    _person("window", window, Role.MANAGER)


def _person(key: str, organisation: Organisation, role: Role) -> Caller:
    user = accounts_service.register_person(
        NewPerson(
            name=f"{organisation.name}联系人", email=f"{key}@demo.example", password=PASSWORD
        ),
        by=None,
    )
    accounts_service.start_memberships(user.id, organisation.id, {role}, by=None)
    return accounts.caller_of(user)


def _machine(machine: _Machine, owner: Caller) -> int:
    institution = next(iter(owner.organisations))
    created = registry.create_instrument(
        institution,
        {
            "inner_id": f"{machine.owner.upper()}-{MACHINES.index(machine) + 1:03d}",
            "name": machine.name,
            "model": machine.model,
            "manufacturer": machine.maker,
            "category_code": machine.category,
            "technical": machine.technical,
            "standards": list(machine.standards),
            "region_code": OWNERS[machine.owner][1],
            "street": OWNERS[machine.owner][2],
            "contact": "仪器管理室",
            "phone": "0731-00000000",
            "units": machine.units,
        },
        caller=owner,
    )
    registry.publish(created.id, caller=owner)
    week = LONG_WEEK if machine.week == "long" else WEEK
    availability.set_schedule(created.id, Terms(), week, caller=owner)
    for customer_class, percent in EVERY_CLASS.items():
        tariffs.publish_price(
            created.id,
            customer_class,
            Money.of(machine.yuan_per_hour),
            caller=owner,
            discount_percent=Decimal(percent),
            discount_reason="支持中小微企业" if percent == EVERY_CLASS[CustomerClass.SME] else "",
        )
    return created.id


def _slot(days: int, hour: int, hours: int) -> TimeSlot:
    start = datetime.combine(_working_day(days), time(hour), tzinfo=clock.CHINA)
    return TimeSlot(start, start + timedelta(hours=hours))


def _working_day(days: int) -> date:
    """Return the working day so many working days from today; negative ones lie behind."""
    if days > 0:
        return reference.add_working_days(clock.today(), days)
    around = reference.workdays(clock.today() + timedelta(days=3 * days - 10), clock.today())
    return [day for day, works in sorted(around.items()) if works][days - 1]
