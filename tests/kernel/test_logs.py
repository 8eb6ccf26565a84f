"""Logs: one JSON object per line, with the request's id."""

import json
import logging

import pytest
import structlog

from booking.kernel.logs import init_logs


@pytest.fixture(autouse=True)
def _fresh_logs():
    yield
    structlog.contextvars.clear_contextvars()
    init_logs("json")


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_a_json_object_with_the_request_id(capsys):
    init_logs("json")
    structlog.contextvars.bind_contextvars(request_id="r-1")

    structlog.get_logger("booking").info("refused", code="slot_taken", name="电子\n万能")

    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["request_id"]) == ("refused", "info", "r-1")
    assert line["name"] == "电子\n万能"
    assert line["timestamp"].endswith("Z")


def test_a_traceback_stays_on_one_line(capsys):
    init_logs("json")

    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        structlog.get_logger("booking").error("unhandled", exc_info=error)

    (line,) = lines(capsys)
    assert "ZeroDivisionError" in line["exception"]


def test_the_libraries_warnings_come_in_the_same_form(capsys):
    init_logs("json")
    structlog.contextvars.bind_contextvars(request_id="r-2")

    logging.getLogger("some.library").warning("low on %s", "space")

    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["request_id"]) == ("low on space", "warning", "r-2")


def test_a_laptop_gets_readable_lines(capsys):
    init_logs("console")

    structlog.get_logger("booking").info("refused", code="slot_taken")

    written = capsys.readouterr().err
    assert "code=slot_taken" in written
    assert not written.startswith("{")
