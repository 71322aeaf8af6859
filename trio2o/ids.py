# SPDX-License-Identifier: Apache-2.0
"""Identifiers: which texts are UUIDs, new ones, request ids."""

import re
import uuid

_UUID = re.compile(
    r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
)
# What oslo.context and oslo.middleware accept as a global request id.
_REQUEST_ID = re.compile(
    r"req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID in one of the forms that OpenStack takes for one."""
    return _UUID.fullmatch(text) is not None


def new_uuid() -> str:
    return str(uuid.uuid4())


def new_request_id() -> str:
    return f"req-{uuid.uuid4()}"


def is_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None
