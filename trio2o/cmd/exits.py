# SPDX-License-Identifier: Apache-2.0
"""What the exit code of ``trio2o`` says."""

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """Each has its ``meaning``, as ``trio2o --help`` shows it."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "done; of api and worker: stopped when told to"
    FAILED = 1, "something else, see the log; of status upgrade check: a warning"
    MISCONFIGURED = 2, "a wrong command, option or value; of status upgrade check: a failure"
    NO_CONFIGURATION_FILE = 3, "the file that --config-file names is missing or not readable"
    DATABASE_UNAVAILABLE = 4, "the database cannot be reached, or refuses the login"
    SCHEMA_NOT_AT_HEAD = 5, "the tables are not this release's: run trio2o db upgrade"
    IDENTITY_UNAVAILABLE = 6, "Keystone cannot be reached, or fails"
    BAD_CREDENTIALS = 7, "Keystone does not let [service_user] in, or it lacks a role"
    PORT_TAKEN = 8, "the gateway cannot listen on its address and port"
