# SPDX-License-Identifier: Apache-2.0
"""What the stories share."""

from tests.databases import database, databases, engine

__all__ = ["database", "databases", "engine"]
