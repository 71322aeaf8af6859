# SPDX-License-Identifier: Apache-2.0
"""Whether a project is in Keystone, asked as the gateway's own user."""

import logging
from typing import Protocol
from urllib.parse import quote

from oslo_config import cfg

from trio2o.errors import IdentityUnavailable
from trio2o.pods.service_user import ServiceUser

LOG = logging.getLogger(__name__)


class Projects(Protocol):
    async def has(self, project_id: str) -> bool: ...


class KeystoneProjects:
    """conf: with [service_user]. It logs in for each question: they are rare."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    async def has(self, project_id: str) -> bool:
        """Whether there is such a project; True, with a warning, if that must not be known.

        Raises IdentityUnavailable, Misconfigured.
        """
        user = ServiceUser(self._conf)
        try:
            status, _ = await user.get(f"/projects/{quote(project_id, safe='')}")
        finally:
            await user.close()
        if status == 403:
            LOG.warning(
                "The user of [service_user] may not look up projects in Keystone, so project %s "
                "is taken for one; give the user the role admin, or reader of the system",
                project_id,
            )
        elif status not in (200, 404):
            raise IdentityUnavailable(f"Keystone answered {status} for project {project_id}.")
        return status != 404
