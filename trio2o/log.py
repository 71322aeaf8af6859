# SPDX-License-Identifier: Apache-2.0
"""Log lines: text or JSON, each with the request that it is about, none with a secret."""

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from trio2o.settings import Log

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
"""The request that is being answered, for the lines that are written meanwhile."""

_HIDDEN = "***"
# So that a path with a line break in it cannot pass for a line of ours.
_ONE_LINE = str.maketrans({"\n": "\\n", "\r": "\\r"})
_SECRETS = (
    # user:password@ in a URL
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{_HIDDEN}@"),
    # Fernet tokens, and JSON web tokens
    (re.compile(r"\bgAAAAA[A-Za-z0-9_%=-]{20,}"), _HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), _HIDDEN),
    # "name": "value", name=value, Name: value
    (
        re.compile(
            r"(?i)(\b[\w-]*(?:auth-token|service-token|subject-token|passw(?:or)?d|adminpass"
            r"|admin_pass|secret|authorization|user_data|private_key)\b[\"']?\s*[:=]\s*)"
            r"(?:b?\"(?:[^\"\\]|\\.)*\"|b?'(?:[^'\\]|\\.)*'|(?:bearer\s+)?[^\s\"',;&}]+)"
        ),
        rf"\1{_HIDDEN}",
    ),
)
# What a record has of itself; anything else was given by ``extra``.
_OF_EVERY_RECORD = frozenset(
    vars(logging.LogRecord("", 0, "", 0, "", None, None))
    # uvicorn's own copy of its message, with colours
) | {"message", "asctime", "taskName", "color_message"}


def hide_secrets(text: str) -> str:
    """``text`` without what looks like a token or a password."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    if hasattr(record, "extra_keys"):
        return {}  # oslo.log's adapter has put its own names there
    return {k: v for k, v in vars(record).items() if k not in _OF_EVERY_RECORD}


class TextFormatter(logging.Formatter):
    """``time level logger [request id] message name=value...``, and a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = (
            f"{_time(record)} {record.levelname} {record.name} [{REQUEST_ID.get()}] "
            f"{record.getMessage()}{extra}"
        ).translate(_ONE_LINE)
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return hide_secrets(line)


class JsonFormatter(logging.Formatter):
    """One object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request_id": REQUEST_ID.get(),
            "process": record.process,
            "message": hide_secrets(record.getMessage()),
        }
        if record.exc_info:
            document["traceback"] = hide_secrets(self.formatException(record.exc_info))
        for name, value in _extra(record).items():
            plain = isinstance(value, int | float | bool | None)
            document.setdefault(name, value if plain else hide_secrets(str(value)))
        return orjson.dumps(document, default=str).decode()


def configure(settings: Log) -> None:
    """Let every logger of the process write to standard error, as ``settings`` says."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    # Other libraries tell of each call, with its body, when asked for everything.
    for name in ("keystoneauth", "keystonemiddleware", "urllib3", "sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    # The requests are counted, and logged by ourselves.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
    logging.captureWarnings(capture=True)
