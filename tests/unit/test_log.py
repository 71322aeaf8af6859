# SPDX-License-Identifier: Apache-2.0
"""Log lines: one each, with the request, without secrets."""

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio2o.log import REQUEST_ID, JsonFormatter, TextFormatter, hide_secrets

SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_", min_size=6, max_size=40)
FORMS = [
    "mysql+pymysql://trio2o:{}@db/trio2o failed",
    "X-Auth-Token: {}",
    "{{'x-service-token': '{}', 'accept': '*/*'}}",
    '{{"auth": {{"password": "{}"}}}}',
    '{{"server": {{"adminPass": "{}", "name": "web"}}}}',
    "OS_SERVICE_USER__PASSWORD={} trio2o api",
    "Authorization: Bearer {}",
    "token gAAAAABn{}AAAAAAAAAAAAAAAAAAAA refused",
]


def _record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("trio2o.x", logging.WARNING, __file__, 1, message, args, None)
    vars(record).update(extra)
    return record


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRETS)
def test_no_secret_is_in_a_line(form: str, secret: str) -> None:
    secret = f"Z{secret}Z"
    line = form.format(secret)
    assert secret not in hide_secrets(line)
    for formatter in (TextFormatter(), JsonFormatter()):
        assert secret not in formatter.format(_record("%s", line))
        assert secret not in formatter.format(_record("call", detail=line))


@pytest.mark.parametrize(
    "line",
    [
        "GET http://pod1:8774/v2.1/servers?name=a@b: 200",
        "the password of [service_user] is refused",
        "pod Pod1 did not respond within 10 s",
        "server 6f70656e-7374-6163-6b20-747269326f21 is in Pod1",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert hide_secrets(line) == line


def test_a_secret_in_a_traceback_is_hidden() -> None:
    record = _record("failed")
    try:
        raise ValueError("postgresql://u:hunter22@db/x")  # noqa: TRY301  for its traceback
    except ValueError:
        record.exc_info = sys.exc_info()
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record)
        assert "ValueError" in line
        assert "hunter22" not in line


def test_a_line_names_its_request() -> None:
    token = REQUEST_ID.set("req-1")
    try:
        assert "[req-1]" in TextFormatter().format(_record("x"))
        assert json.loads(JsonFormatter().format(_record("x")))["request_id"] == "req-1"
    finally:
        REQUEST_ID.reset(token)


def test_json_has_what_was_given_besides_and_is_one_line() -> None:
    line = JsonFormatter().format(_record("a\n%s", "b", pod="Pod1", took_s=0.5, odd={1}))
    assert "\n" not in line
    document = json.loads(line)
    assert document["message"] == "a\nb"
    assert document["level"] == "warning"
    assert (document["pod"], document["took_s"], document["odd"]) == ("Pod1", 0.5, "{1}")


def test_a_line_break_in_a_message_makes_no_second_line() -> None:
    line = TextFormatter().format(_record("GET %s", "/x\n2026 INFO trio2o forged"))
    assert line.endswith("GET /x\\n2026 INFO trio2o forged")
