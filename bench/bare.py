"""The peer: one Flask view, one SQLAlchemy Core INSERT … ON CONFLICT DO NOTHING, commit."""

import os

from flask import Flask, request
from sqlalchemy import create_engine, text

from booking.kernel import config, postgres

settings = config.load("production")
url = os.environ.get("DATABASE_URL") or postgres.embedded(settings["DATA_DIR"]).acquire()
engine = create_engine(url, pool_size=settings["DB_POOL_SIZE"], max_overflow=4)
app = Flask("bare")

TAKE = text("""
INSERT INTO bare_occupancies (instrument_id, unit, starts_at, ends_at, kind)
VALUES (:instrument_id, 1, :starts_at, :ends_at, 'reservation')
ON CONFLICT DO NOTHING RETURNING id
""")


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


@app.post("/take")
def take():
    body = request.get_json()
    with engine.begin() as connection:
        found = connection.execute(TAKE, body).scalar()
    return ({"id": found}, 201) if found else ({"taken": True}, 409)
