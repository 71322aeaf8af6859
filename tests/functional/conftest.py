# SPDX-License-Identifier: Apache-2.0
"""One gateway for all functional tests."""

from collections.abc import Iterator

import pytest

from tests.real import Top, gateway


@pytest.fixture(scope="session")
def top() -> Iterator[Top]:
    with gateway() as running:
        yield running
