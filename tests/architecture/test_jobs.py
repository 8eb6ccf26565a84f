"""Every job has a name in words on the operator's pages (templates/admin/jobwords.html)."""

import pytest
from flask_babel import force_locale

from booking import scheduler


@pytest.mark.parametrize("name", scheduler.names())
def test_every_job_has_a_name_in_words(app, name):
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        words = app.jinja_env.get_template("admin/jobwords.html").module.job_name(name)

    assert words.strip() != name
