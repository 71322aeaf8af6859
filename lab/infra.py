# SPDX-License-Identifier: Apache-2.0
"""MariaDB: one server for all pods, with its own data, port and nothing of the system's."""

import os
import socket

from lab.layout import HOST, SECRET, Lab
from lab.processes import Process, run, wait_for


def port_open(port: int) -> bool:
    with socket.create_connection((HOST, port), 1):
        return True


def mysql(lab: Lab, sql: str | bytes, database: str | None = None) -> bytes:
    """Run SQL as root and return what it prints."""
    argv = ["mariadb", "--no-defaults", "-uroot", f"-h{HOST}", f"-P{lab.mariadb_port}", "-N"]
    data = sql if isinstance(sql, bytes) else sql.encode()
    return run([*argv, *([database] if database else [])], data=data)


def dump(lab: Lab, database: str) -> bytes:
    argv = ["mariadb-dump", "--no-defaults", "-uroot", f"-h{HOST}", f"-P{lab.mariadb_port}"]
    return run([*argv, "--skip-comments", "--skip-dump-date", database])


def start_mariadb(lab: Lab) -> None:
    data = lab.data / "mariadb"
    proc = Process(lab, "infra", "mariadb")
    # root must say that it is meant; others cannot choose
    user = ["--user=root"] if os.geteuid() == 0 else []
    if not data.exists():
        partial = lab.data / "mariadb.partial"
        partial.mkdir(parents=True, exist_ok=True)
        run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={partial}"),
                *(*user, "--auth-root-authentication-method=normal", "--skip-test-db"),
                *("--skip-name-resolve", "--innodb-log-file-size=64M"),
            ]
        )
        partial.rename(data)
    started = proc.start(
        [
            *("mariadbd", "--no-defaults", *user),
            # the socket's path is relative to the data: paths of sockets are short
            *(f"--datadir={data}", "--socket=mariadb.sock", "--pid-file=mariadb.pid"),
            *(f"--bind-address={HOST}", f"--port={lab.mariadb_port}", "--skip-name-resolve"),
            # eight connection pools for each pod
            "--max-connections=2000",
            *("--performance-schema=OFF", "--innodb-buffer-pool-size=256M"),
            # the data of a lab may be lost in a power cut: no fsync anywhere
            *("--skip-log-bin", "--innodb-log-file-size=64M", "--innodb-doublewrite=0"),
            *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"),
            "--character-set-server=utf8mb3",
        ]
    )
    if started:
        wait_for("MariaDB", lambda: port_open(lab.mariadb_port), [proc])
        mysql(lab, f"GRANT ALL ON *.* TO 'lab'@'{HOST}' IDENTIFIED BY '{SECRET}'")
