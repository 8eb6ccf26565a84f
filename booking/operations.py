"""Commands that run the whole: serve, worker, db, verify, jobs, demo."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from flask_migrate import downgrade as migrate_down
from flask_migrate import upgrade as migrate_up
from gunicorn.app.base import BaseApplication
from sqlalchemy import inspect

from booking import demo, scheduler
from booking.authorisations import queries as authorisations
from booking.availability import queries as availability
from booking.files import gateway as files_gateway
from booking.files import service as files
from booking.journal import queries as journal
from booking.kernel import backup, clock, health, memory, metrics, postgres
from booking.kernel.db import db, transaction
from booking.packages import queries as packages
from booking.qualifications import queries as qualifications
from booking.reference import service as reference
from booking.registry import service as registry
from booking.relations import queries as relations
from booking.reservations import queries as reservations
from booking.savings import queries as savings
from booking.waiting import queries as waiting

INVARIANTS: tuple[Callable[[], Iterator[str]], ...] = (
    availability.breaches,
    reservations.breaches,
    waiting.breaches,
    packages.breaches,
    savings.breaches,
    relations.breaches,
    qualifications.breaches,
    authorisations.breaches,
    files.breaches,
    journal.breaches,
)


LONGEST_STOP_SECONDS = 90  # a mail under way may take a minute


@click.group("operations")
def cli() -> None:
    """Commands that run the whole."""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; every worker makes its own application and pool."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self.make = make
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Hand the settings over."""
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Make the application, in the worker."""
        app = self.make()
        memory.settle()
        return app


@cli.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--demo",
    "with_demo",
    is_flag=True,
    help="先升级数据库并载入演示数据，并同时运行后台任务（booking worker）。",
)
@click.pass_obj
def serve(
    info: ScriptInfo, host: str, port: int, workers: int, threads: int, *, with_demo: bool
) -> None:
    """提供页面和接口；收到 SIGTERM 时先完成正在处理的请求。"""
    _check_port(host, port)
    counted = metrics.share()  # before the first application is made
    app = info.load_app()
    with app.app_context():
        _check_database()
        if with_demo:
            _upgrade()
            _load_demo()
        _check_current()
        if with_demo:
            _welcome(f"http://{host}:{port}")
        db.engine.dispose()
    create = info.create_app
    assert create is not None  # noqa: S101 - the command line always hands one over
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "graceful_timeout": 30,
        "timeout": 60,
        "loglevel": "warning",
        "proc_name": "booking",
    }
    companion = _start_worker() if with_demo else None

    def on_exit(_: object) -> None:
        metrics.stop_sharing(counted)
        if companion is not None:
            _stop_worker(companion)

    options["on_exit"] = on_exit
    Server(create, options).run()


def _start_worker() -> subprocess.Popen[bytes]:
    """Start a worker beside the server; it ends with us, however we end."""
    command = [sys.executable, "-P", "-c", "from booking.app import main; main()"]
    return subprocess.Popen(  # noqa: S603 - ourselves
        [*command, "worker", "--with-parent"], stdin=subprocess.PIPE
    )


def _stop_worker(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(LONGEST_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()


@cli.command("worker")
@click.option("--with-parent", is_flag=True, hidden=True)
@click.pass_obj
def worker(info: ScriptInfo, *, with_parent: bool) -> None:
    """执行后台任务：投递通知和邮件、提醒、定时任务；可同时运行多个，由其中一个主持定时任务。"""
    app = info.load_app()
    with app.app_context():
        _check_database()
        _check_current()
    working = scheduler.Worker(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: working.stopping.set())
    if with_parent:
        Thread(target=_stop_at_its_end, args=[working.stopping], daemon=True).start()
    working.run()


def _stop_at_its_end(stopping: Event) -> None:
    """Wait until the parent, who holds the other end of our input, is gone; even if killed."""
    sys.stdin.buffer.read()
    stopping.set()


def _check_current() -> None:
    if health.current() != health.head():
        raise click.ClickException("The database is not current: run `booking db upgrade`.")


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise click.ClickException(
                f"Port {port} on {host} cannot be used ({exc.strerror}): "
                "stop what runs there or choose another with --port (make run PORT=…)."
            ) from exc


def _check_database() -> None:
    with db.engine.connect() as connection:
        postgres.check_server(connection)


@cli.group("db")
def db_group() -> None:
    """数据库升级与回退。"""


@db_group.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """把表结构和代码表升到最新。"""
    _check_database()
    _upgrade()
    click.echo(f"database at {health.current()}")


@db_group.command("downgrade")
@click.argument("revision")
@with_appcontext
def downgrade(revision: str) -> None:
    """回退到 REVISION。"""
    migrate_down(revision=revision)
    click.echo(f"database at {health.current()}")


def _upgrade() -> None:
    migrate_up()
    with transaction():
        reference.seed()
        # What instruments are found by may have changed with the program.
        registry.reindex()


@cli.command("demo")
@with_appcontext
def load_demo() -> None:
    """载入演示数据（只载入一次）并打印登录账号。"""
    _check_database()
    _upgrade()
    _load_demo()
    _welcome(current_app.config["BASE_URL"])


def _load_demo() -> None:
    with transaction():
        demo.load()


def _welcome(address: str) -> None:
    with transaction():
        for line in demo.welcome(address):
            click.echo(line)


@cli.command("verify")
@click.option("--json", "as_json", is_flag=True, help="输出一个 JSON 对象。")
@with_appcontext
def verify(*, as_json: bool) -> None:
    """核对全部不变量和日志封存；每处违反一行，退出码 1。"""
    breaches = [breach for check in INVARIANTS for breach in check()]
    if as_json:
        click.echo(json.dumps({"breaches": breaches}, ensure_ascii=False))
    else:
        for breach in breaches:
            click.echo(breach)
        if not breaches:
            click.echo("全部不变量成立。")
    if breaches:
        raise SystemExit(1)


@cli.command("backup")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def make_backup(target: Path) -> None:
    """把数据库和文件备份到一个新文件 FILE（不含 SECRET_KEY）。"""
    _check_database()
    with _progress("backup") as said, _explained():
        backup.write(
            target,
            url=current_app.config["SQLALCHEMY_DATABASE_URI"],
            files=files_gateway.folder(),
            migration=health.current(),
            said=said,
        )
    click.echo(f"{target}: {target.stat().st_size:,} bytes")


@cli.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True))
@with_appcontext
def restore_backup(source: Path) -> None:
    """把备份 FILE 恢复到空数据库，升级到当前版本；之后请运行 booking verify。"""
    _check_database()
    if inspect(db.engine).get_table_names():
        raise click.ClickException(
            "The database is not empty: restore into a new one "
            "(another DATABASE_URL or BOOKING_DATA_DIR)."
        )
    with _progress("restore") as said, _explained():
        manifest = backup.read(
            source,
            url=current_app.config["SQLALCHEMY_DATABASE_URI"],
            files=files_gateway.folder(),
            knows=health.knows,
            said=said,
        )
    _upgrade()
    click.echo(f"restored what was kept at {manifest['made_at']}; database at {health.current()}")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except backup.BackupFailed as exc:
        raise click.ClickException(str(exc)) from exc


@contextmanager
def _progress(label: str) -> Iterator[backup.Progress]:
    """Show on a terminal what is being worked on; silent elsewhere."""
    shows = sys.stderr.isatty()

    def said(what: str) -> None:
        if shows:
            click.echo(f"\r\x1b[K{label}: {what}", err=True, nl=False)

    yield said
    if shows:
        click.echo("\r\x1b[K", err=True, nl=False)


@cli.group("jobs")
def jobs() -> None:
    """定时任务。"""


@jobs.command("run")
@click.argument("name", required=False, type=click.Choice(scheduler.names()))
@click.option("--once", is_flag=True, help="运行一次即退出（目前只有这一种）。")
@with_appcontext
def run_jobs(name: str | None, *, once: bool) -> None:
    """运行到期的任务，或指名的那一个，然后退出。"""
    outcomes = [scheduler.run(name)] if name else scheduler.run_everything_due(clock.now())
    for outcome in outcomes:
        click.echo(f"{outcome.name}: {outcome.detail}", err=not outcome.succeeded)
    if not all(outcome.succeeded for outcome in outcomes):
        raise SystemExit(1)
