# SPDX-License-Identifier: Apache-2.0
"""Projects by name or id, as the commands take them."""

import argparse
from typing import Any

from openstack import exceptions
from osc_lib.exceptions import CommandError


def add_project_domain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project-domain",
        metavar="<project-domain>",
        help="Domain the project belongs to (name or ID), when several have one of its name",
    )


def project_id(client_manager: Any, project: str, domain: str | None = None) -> str:
    """The id of ``project``, a name or an id.

    Who may not look projects up in Keystone must say the id.
    Raises CommandError if there is no such project, or several.
    """
    identity = client_manager.sdk_connection.identity
    try:
        words: dict[str, str] = {}
        if domain is not None:
            words["domain_id"] = identity.find_domain(domain, ignore_missing=False).id
        found = identity.find_project(project, ignore_missing=False, **words)
    except exceptions.ForbiddenException:
        return project
    except exceptions.SDKException as error:
        raise CommandError(str(error)) from error
    found_id: str = found.id
    return found_id
