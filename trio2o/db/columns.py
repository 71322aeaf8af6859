# SPDX-License-Identifier: Apache-2.0
"""Column types that keep the same value in SQLite, MariaDB and PostgreSQL, in few bytes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import orjson
from sqlalchemy import BigInteger, DateTime, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from trio2o.model import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC with microseconds.

    In SQLite, which has no dates, the microseconds since 1970 as an integer.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        if dialect.name == "sqlite":
            return (value - _EPOCH) // _MICROSECOND
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name in ("mysql", "mariadb") else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        if dialect.name in ("mysql", "mariadb"):
            return cast("datetime", value.replace(tzinfo=UTC))
        return cast("datetime", value.astimezone(UTC))


class CompactId(TypeDecorator[str]):
    """An id of a resource or project: 16 bytes for a UUID, the text for any other.

    dashed: whether UUIDs of this column come with dashes (resources) or without (projects).
        A text of the other form is kept as text, so every value comes back as it went in,
        but for the case of a UUID's letters, which does not count.
    length: characters of the longest text.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *, dashed: bool, length: int = 255) -> None:
        super().__init__(length + 2)
        self.dashed = dashed
        self.length = length
        self._uuid: Final = re.compile(
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
            if dashed
            else r"[0-9a-f]{32}",
            re.IGNORECASE,
        )

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.VARBINARY(self.length + 2))
        return dialect.type_descriptor(LargeBinary())

    def encode(self, value: str) -> bytes:
        """The bytes of ``value``; equal for two texts exactly if they are the same id."""
        if self._uuid.fullmatch(value):
            return bytes.fromhex(value.replace("-", ""))
        # Another text is told from a UUID by a NUL before it, or two if it would have 16 bytes.
        text = b"\0" + value.encode()
        return b"\0" + text if len(text) == 16 else text

    def decode(self, value: bytes) -> str:
        if len(value) != 16:
            return value.lstrip(b"\0").decode()
        digits = value.hex()
        if not self.dashed:
            return digits
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        del dialect
        return None if value is None else self.encode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else self.decode(value)


class KindCode(TypeDecorator[Kind]):
    """A Kind as a small integer."""

    impl = SmallInteger
    cache_ok = True

    # A number is never used for another kind.
    CODES: Final[Mapping[Kind, int]] = {
        Kind.SERVER: 1,
        Kind.SERVER_GROUP: 2,
        Kind.VOLUME: 3,
        Kind.SNAPSHOT: 4,
        Kind.BACKUP: 5,
        Kind.GROUP: 6,
        Kind.GROUP_SNAPSHOT: 7,
        Kind.CONSISTENCY_GROUP: 8,
        Kind.CGSNAPSHOT: 9,
        Kind.ATTACHMENT: 10,
        Kind.TRANSFER: 11,
        Kind.MESSAGE: 12,
        Kind.IMAGE: 13,
        Kind.TASK: 14,
        Kind.CONSOLE_TOKEN: 15,
        Kind.NETWORK: 16,
        Kind.PORT: 17,
    }
    KINDS: Final[Mapping[int, Kind]] = {code: kind for kind, code in CODES.items()}

    def process_bind_param(self, value: Kind | None, dialect: Dialect) -> int | None:
        del dialect
        return None if value is None else self.CODES[value]

    def process_result_value(self, value: Any, dialect: Dialect) -> Kind | None:
        del dialect
        return None if value is None else self.KINDS[value]


class Json(TypeDecorator[Any]):
    """A JSON document as text; an empty one (``{}``, ``[]``) and None are both NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # 64 KiB, the most of MariaDB's TEXT, is too little for the stub of a large placement.
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.MEDIUMTEXT())
        return dialect.type_descriptor(Text())

    def process_bind_param(
        self, value: Mapping[str, Any] | Sequence[Any] | None, dialect: Dialect
    ) -> str | None:
        del dialect
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        del dialect
        return orjson.loads(value) if value else None
