# SPDX-License-Identifier: Apache-2.0
"""What the exit code of ``trio2o`` says."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    """Done; for ``api`` and ``worker``: told to stop, and stopped."""
    FAILED = 1
    """Something else; there is a traceback. Of ``status upgrade check``: a warning."""
    MISCONFIGURED = 2
    """An option is unknown or its value is not possible, or the command is unknown. Of
    ``status upgrade check``: a failure."""
    NO_CONFIGURATION_FILE = 3
    """The configuration file that was named is not there or may not be read."""
    DATABASE_UNAVAILABLE = 4
    """The database cannot be reached, or refuses the login."""
    SCHEMA_NOT_AT_HEAD = 5
    """The tables are not those of this release; run ``trio2o db upgrade``."""
    IDENTITY_UNAVAILABLE = 6
    """Keystone cannot be reached."""
    BAD_CREDENTIALS = 7
    """Keystone does not let the service user in, or it lacks a role."""
    PORT_TAKEN = 8
    """The gateway cannot listen on its address and port."""
