# SPDX-License-Identifier: Apache-2.0
"""Empty databases as each service's own migrations leave them, made once and kept.

Kept as SQL in ``.lab/cache/schemas-KEY/``; the same files may be checked in as
``lab/schemas/KEY.tar.xz``, which saves a new machine the migrations. The key is
made of the versions that decide the schemas.
"""

import concurrent.futures
import hashlib
import pathlib
import re
import shutil
import tarfile
import time

from lab import infra
from lab.identity import keystone_manage, write_keystone
from lab.layout import DATABASES, HERE, TOP, Lab, Pod, template
from lab.pods import configure
from lab.processes import Argv, run, say
from lab.services import environment

# Raise it when what is made here changes and the versions do not
FORMAT = 2
DECIDING = re.compile(
    r"^(keystone|nova|openstack-placement|glance|cinder|neutron|alembic|sqlalchemy)==\S+",
    re.MULTILINE | re.IGNORECASE,
)
ALL = (*DATABASES, "keystone")
# Templates, which nova fills from its own configuration: the rows suit every pod
CELL1 = "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}"
CELL0 = CELL1.replace("{path}", "{path}_cell0")


def schema_key(constraints: str) -> str:
    """Return the key of the schemas that these versions make."""
    pins = sorted(match.group().lower() for match in DECIDING.finditer(constraints))
    return hashlib.sha256("\n".join([str(FORMAT), *pins]).encode()).hexdigest()[:12]


def current_key() -> str:
    return schema_key((HERE / "constraints.txt").read_text())


def archive(key: str) -> pathlib.Path:
    return HERE / "schemas" / f"{key}.tar.xz"


def ensure(lab: Lab) -> pathlib.Path:
    """Return the directory of the schemas, making it if need be. Needs MariaDB."""
    key = current_key()
    target = lab.cache / f"schemas-{key}"
    if target.exists():
        return target
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if archive(key).exists():
        with tarfile.open(archive(key)) as tar:
            tar.extractall(partial, filter="data")
    else:
        migrate(lab, partial)
    partial.rename(target)
    return target


def pack(lab: Lab) -> pathlib.Path:
    """Write the schemas of the present versions to the checked-in archive; the old ones go."""
    key = current_key()
    source = ensure(lab)
    archive(key).parent.mkdir(exist_ok=True)
    for old in archive(key).parent.glob("*.tar.xz"):
        old.unlink()
    with tarfile.open(archive(key), "w:xz") as tar:
        for path in sorted(source.glob("*.sql")):
            info = tar.gettarinfo(path, path.name)
            info.mtime = info.uid = info.gid = 0
            info.uname = info.gname = "root"
            info.mode = 0o644
            with path.open("rb") as handle:
                tar.addfile(info, handle)
    return archive(key)


def load(lab: Lab, source: pathlib.Path, wanted: dict[str, str]) -> None:
    """Make the databases of ``wanted`` (database -> schema) that were not made before."""
    # a file for each database that was loaded to its end
    loaded = lab.data / "loaded"
    loaded.mkdir(parents=True, exist_ok=True)

    def one(database: str) -> None:
        if (loaded / database).exists():
            return
        empty_database(lab, database)
        infra.mysql(lab, (source / f"{wanted[database]}.sql").read_bytes(), database)
        (loaded / database).touch()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, wanted))


def empty_database(lab: Lab, database: str) -> None:
    infra.mysql(lab, f"DROP DATABASE IF EXISTS {database}")
    infra.mysql(lab, f"CREATE DATABASE {database} CHARACTER SET utf8mb3")


def load_pod(pod: Pod, source: pathlib.Path) -> None:
    load(pod.lab, source, {f"{pod.name}_{name}": name for name in DATABASES})


def migrate(lab: Lab, target: pathlib.Path) -> None:
    """Run the migrations of every service on empty databases and dump them to ``target``."""
    say("schemas: migrating empty databases, once for these versions")
    pod = template(lab)
    configure(pod)
    write_keystone(lab, "template")
    for name in ALL:
        empty_database(lab, f"template_{name}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda commands: run_chain(pod, commands), chains(pod)))
    for name in ALL:
        (target / f"{name}.sql").write_bytes(infra.dump(lab, f"template_{name}"))
        infra.mysql(lab, f"DROP DATABASE template_{name}")
    shutil.rmtree(pod.data)


def chains(pod: Pod) -> list[list[Argv]]:
    """Return commands; those of one chain run one after the other, the chains side by side."""

    def manage(tool: str, conf: str, *words: str) -> Argv:
        return [pod.lab.bin / tool, "--config-file", pod.etc / conf, *words]

    def nova(*words: str) -> Argv:
        return manage("nova-manage", "nova.conf", *words)

    metadefs = pod.lab.venv / "etc/glance/metadefs"
    cell = ("--database_connection", CELL1, "--transport-url", "inproc:///")
    return [
        [manage("neutron-db-manage", "neutron.conf", "upgrade", "heads")],
        [
            nova("api_db", "sync"),
            nova("cell_v2", "map_cell0", "--database_connection", CELL0),
            nova("db", "sync"),
            nova("cell_v2", "create_cell", "--name", "cell1", *cell),
        ],
        [
            manage("cinder-manage", "cinder.conf", "db", "sync"),
            manage("glance-manage", "glance-api.conf", "db_sync"),
            manage("glance-manage", "glance-api.conf", "db_load_metadefs", str(metadefs)),
        ],
        [
            manage("placement-manage", "placement.conf", "db", "sync"),
            keystone_manage(pod.lab, "template", "db_sync"),
            # roles, the admin, its project, and the top region without endpoints
            keystone_manage(
                *(pod.lab, "template", "bootstrap", "--bootstrap-password", "lab"),
                *("--bootstrap-region-id", TOP),
            ),
        ],
    ]


def run_chain(pod: Pod, commands: list[Argv]) -> None:
    for argv in commands:
        begun = time.monotonic()
        tool = pathlib.Path(argv[0]).name
        run(argv, environment(pod), log=pod.lab.log / "template" / f"{tool}.log")
        words = " ".join(str(word) for word in argv[3:5])
        say(f"  {tool} {words}: {time.monotonic() - begun:.1f} s")
