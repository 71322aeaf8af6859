# SPDX-License-Identifier: Apache-2.0
"""What time it is: aware, UTC, with microseconds."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def isoformat(moment: datetime | None) -> str | None:
    """``moment`` as our API shows it: ``2026-01-31T12:00:00.000000Z``; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The moment that an OpenStack service wrote; without an offset it is UTC.

    Raises ValueError.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
