# SPDX-License-Identifier: Apache-2.0
"""The plugin of openstackclient for Trio2o's admin API: how the client is found and made.

Nothing in this package imports the rest of Trio2o: it works where only the client is.
"""

import argparse
from typing import Any

from osc_lib import utils

from .client import AdminClient

DEFAULT_API_VERSION = "1"
API_VERSION_OPTION = "os_multipod_api_version"
API_NAME = "multipod"
API_VERSIONS = {"1": "trio2o.osc.client.AdminClient"}


def make_client(instance: Any) -> AdminClient:
    """The client of ``client_manager.multipod``."""
    return AdminClient(
        instance.session, region_name=instance.region_name, interface=instance.interface
    )


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--os-multipod-api-version",
        metavar="<multipod-api-version>",
        default=utils.env("OS_MULTIPOD_API_VERSION", default=DEFAULT_API_VERSION),
        help=f"Version of Trio2o's admin API, default={DEFAULT_API_VERSION} "
        "(Env: OS_MULTIPOD_API_VERSION)",
    )
    return parser
