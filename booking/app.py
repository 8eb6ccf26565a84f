"""create_app() and the command line: the only module that knows all features."""

import os
import sys
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo
from flask_babel import Babel
from flask_migrate import Migrate
from jinja2 import StrictUndefined
from sqlalchemy.exc import OperationalError

from booking import demo, operations
from booking.accounts import auth
from booking.accounts import cli as accounts_cli
from booking.accounts import queries as accounts
from booking.accounts.api import bp as accounts_api
from booking.accounts.views import bp as accounts_pages
from booking.admin.views import bp as admin_pages
from booking.attachments.api import bp as attachments_api
from booking.attachments.views import bp as attachments_pages
from booking.authorisations.api import bp as authorisations_api
from booking.authorisations.views import bp as authorisations_pages
from booking.availability import views as availability_views
from booking.availability.api import bp as availability_api
from booking.availability.views import bp as availability_pages
from booking.calendars.api import bp as calendars_api
from booking.calendars.views import addresses as calendar_addresses
from booking.calendars.views import pages as calendar_pages
from booking.console.views import bp as console_pages
from booking.dashboard.views import bp as dashboard_pages
from booking.files import gateway as files
from booking.journal import queries as journal
from booking.kernel import (
    config,
    docs,
    health,
    http,
    jobruns,
    language,
    login,
    metrics,
    openapi,
    pages,
    postgres,
    styleguide,
)
from booking.kernel.db import db
from booking.kernel.logs import init_logs
from booking.notices import gateway as notices
from booking.notices import queries as notices_queries
from booking.notices.views import bp as notices_pages
from booking.notices.views.demo import init_demo_mail
from booking.packages.api import bp as packages_api
from booking.packages.views import bp as packages_pages
from booking.pricegroups.api import bp as pricegroups_api
from booking.qualifications.api import bp as qualifications_api
from booking.qualifications.views import bp as qualifications_pages
from booking.reference.api import bp as reference_api
from booking.registry import cli as registry_cli
from booking.registry.api import bp as registry_api
from booking.relations.api import bp as relations_api
from booking.relations.views import bp as relations_pages
from booking.reservations import queries as reservations
from booking.reservations.api import bp as reservations_api
from booking.reservations.views import bp as reservations_pages
from booking.savings.api import bp as savings_api
from booking.savings.views import bp as savings_pages
from booking.subjects import cli as subjects_cli
from booking.tariffs.api import bp as tariffs_api
from booking.waiting.api import bp as waiting_api
from booking.waiting.views import bp as waiting_pages

API = (
    accounts_api,
    reference_api,
    registry_api,
    attachments_api,
    qualifications_api,
    authorisations_api,
    tariffs_api,
    pricegroups_api,
    packages_api,
    availability_api,
    reservations_api,
    savings_api,
    relations_api,
    calendars_api,
    waiting_api,
)
COMMANDS = (operations.cli, subjects_cli.cli, accounts_cli.cli, registry_cli.cli)
migrate = Migrate()


def create_app(environment: str | None = None, **overrides: Any) -> Flask:
    """Return the application; without DATABASE_URL it starts or joins the embedded server."""
    environment = environment or os.environ.get("BOOKING_ENV", "production")
    app = Flask("booking", template_folder=str(config.root("templates")))
    app.config.from_mapping(config.load(environment, overrides))
    app.jinja_env.undefined = StrictUndefined
    init_logs(app.config["LOG_FORMAT"])
    notices.init_notices(app, reach=accounts.reach, complete={"reservation": reservations.told})
    files.init_files(app)
    _init_database(app)
    Babel(app, locale_selector=language.choose)
    http.init_http(app)
    login.init_login(app, auth.load)
    pages.init_pages(app)
    styleguide.init_styleguide(app)
    docs.init_docs(app, openapi.init_api(app, *API))
    health.init_health(app)
    metrics.init_metrics(app, jobruns.figures, notices_queries.figures, journal.figures)
    app.register_blueprint(calendar_addresses)
    app.add_url_rule("/", "home", availability_views.home)
    for pages_of_feature in (
        accounts_pages,
        availability_pages,
        reservations_pages,
        savings_pages,
        relations_pages,
        packages_pages,
        attachments_pages,
        qualifications_pages,
        authorisations_pages,
        calendar_pages,
        waiting_pages,
        console_pages,
        dashboard_pages,
        notices_pages,
        admin_pages,
    ):
        app.register_blueprint(pages_of_feature)
    init_demo_mail(app)
    if app.config["DEMO"]:
        app.extensions["booking_demo"] = demo.LOG_INS
        app.jinja_env.globals["demo_password"] = demo.PASSWORD
    return app


def _init_database(app: Flask) -> None:
    url = app.config.get("DATABASE_URL") or None
    app.config["SQLALCHEMY_DATABASE_URI"] = (
        postgres.normalise_url(url) if url else postgres.embedded(app.config["DATA_DIR"]).acquire()
    )
    options = (
        f"-c statement_timeout={app.config['DB_STATEMENT_TIMEOUT_MS']} "
        f"-c lock_timeout={app.config['DB_LOCK_TIMEOUT_MS']} "
        "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off"
    )
    app.config.setdefault(
        "SQLALCHEMY_ENGINE_OPTIONS",
        {
            "pool_size": app.config["DB_POOL_SIZE"],
            "max_overflow": 4,
            "pool_timeout": 10,
            "pool_pre_ping": False,
            # Psycopg forgets what it prepared at every rollback, and with that each read request
            # ends; `kernel.wire` prepares what is worth it, and keeps it.
            "connect_args": {"options": options, "connect_timeout": 5, "prepare_threshold": None},
        },
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(config.root("migrations")))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="booking")
@click.pass_context
def cli(context: click.Context) -> None:
    """仪器共享服务的运维命令。"""
    context.obj = ScriptInfo(create_app=create_app)


for group in COMMANDS:
    # Commands stand side by side: `booking token create`, `booking import instruments`.
    for command in group.commands.values():
        cli.add_command(command)


def main() -> None:
    """Run the command line; what stops a start is said in one sentence, exit code 2."""
    try:
        cli()
    except (config.ConfigError, postgres.PostgresUnavailable) as exc:
        _stop(str(exc))
    except OperationalError as exc:
        _stop(f"The database does not answer: {str(exc.orig).strip().splitlines()[0]}")


def _stop(reason: str) -> NoReturn:
    click.echo(f"booking: {reason}", err=True)
    sys.exit(2)
