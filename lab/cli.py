# SPDX-License-Identifier: Apache-2.0
"""The verbs of scripts/lab."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import sys
import urllib.error

from lab import identity, infra, pods, schemas, seed, tempest
from lab.install import install, widen_path
from lab.layout import MAX_PODS, Lab, Pod
from lab.processes import LabError, locked, processes, say, stop
from lab.rest import as_admin
from lab.status import status

DESCRIPTION = """Real OpenStack clouds ("pods") behind one Keystone, on one machine.

Everything listens on 127.0.0.1. The state is in .lab; TRIO2O_LAB_STATE (a
directory) and TRIO2O_LAB_PORT (20000) make a second lab beside the first.
doc/reference/lab.md says the rest.
"""


def up(lab: Lab, count: int) -> None:
    wanted = lab.pods(count)
    install(lab)
    with locked(lab.state / "lock"):
        bring_all_up(lab, wanted)


def bring_all_up(lab: Lab, wanted: list[Pod]) -> None:
    infra.start_mariadb(lab)
    source = schemas.ensure(lab)
    schemas.load(lab, source, {"keystone": "keystone"})
    identity.start_keystone(lab)
    with concurrent.futures.ThreadPoolExecutor(MAX_PODS + 1) as executor:
        seeded = executor.submit(identity.seed_keystone, lab, wanted)
        list(executor.map(lambda pod: bring_up(pod, source), wanted))
        seeded.result()
        say("Keystone is ready")
        list(executor.map(finish, wanted))


def bring_up(pod: Pod, source: pathlib.Path) -> None:
    schemas.load_pod(pod, source)
    pods.configure(pod)
    started = pods.start(pod)
    say(f"{pod.name}: started {', '.join(started) or 'nothing'}")


def finish(pod: Pod) -> None:
    rest = as_admin(pod.lab)
    pods.wait(pod, rest)
    seed.seed_pod(pod, rest)
    say(f"{pod.name} is ready")


def known(lab: Lab, name: str) -> Pod:
    """Return a pod that was brought up before."""
    pod = lab.pod(name)
    if not pod.etc.exists():
        have = sorted(path.name for path in lab.etc.glob("pod*"))
        raise LabError(f"There is no {name} yet; there are: {', '.join(have) or 'none'}")
    return pod


def start(lab: Lab, name: str) -> None:
    pod = known(lab, name)
    with locked(lab.state / "lock"):
        bring_all_up(lab, [pod])


def down(lab: Lab, names: list[str]) -> None:
    """Stop the named pods, or everything; the data stays."""
    with locked(lab.state / "lock"):
        if names:
            stop(p for name in names for p in processes(lab, known(lab, name).name))
            return
        stop(p for p in processes(lab) if p.group != "infra")
        stop(processes(lab, "infra"), 30)


def send(lab: Lab, name: str, number: signal.Signals) -> None:
    for proc in processes(lab, known(lab, name).name):
        proc.signal(number)


def reset(lab: Lab) -> None:
    down(lab, [])
    for directory in (lab.run, lab.etc, lab.log, lab.data, lab.tempest):
        shutil.rmtree(directory, ignore_errors=True)


def resize(lab: Lab, name: str, size: pods.Size) -> None:
    """Now if the pod runs, else when it starts."""
    pod = lab.pod(name)
    # not while it comes up: a process that is not ready yet would die of the signal
    with locked(lab.state / "lock"):
        alive = all(proc.pid and not proc.hung for proc in pods.procs(pod))
        pods.resize(pod, size, as_admin(lab) if alive else None)


def env(lab: Lab, target: str, user: str) -> str:
    values = identity.environment(lab, target, user)
    exports = [f"export {name}={value}" for name, value in values.items()]
    tools = lab.tools / "bin"
    path = f'case ":$PATH:" in *:{tools}:*) ;; *) export PATH={tools}:$PATH ;; esac'
    return "\n".join([*exports, path])


def run_tempest(
    lab: Lab, target: str, regex: str, concurrency: int, kept: pathlib.Path | None
) -> int:
    """Return 1 if a test failed or none ran."""
    results = tempest.run_suite(lab, target, regex, concurrency)
    if kept:
        kept.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    return 0 if results and "fail" not in results.values() else 1


def compare(pod: pathlib.Path, top: pathlib.Path) -> int:
    """Return 1 if a test passes on the pod and not at the top."""
    both = json.loads(pod.read_text()), json.loads(top.read_text())
    print(tempest.report(*both))
    return 1 if tempest.compare(*both) else 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="scripts/lab",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, *pod: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text)
        for argument in pod:
            sub.add_argument(argument)
        return sub

    verb("install", "MariaDB (apt), uv and one virtual environment (PyPI)")
    sub = verb("up", "bring up N pods (2): starts what is not up")
    sub.add_argument("count", metavar="N", type=int, nargs="?", default=2)
    sub = verb("down", "stop the named pods, or everything; the data stays")
    sub.add_argument("pods", metavar="POD", nargs="*")
    verb("status", "what runs, with memory and CPU time")
    sub = verb("env", "shell lines to source: OS_* and PATH", "target")
    sub.add_argument("--user", choices=sorted(identity.USERS), default="admin")
    verb("kill", "an outage: SIGKILL to every process of the pod", "pod")
    verb("hang", "the pod accepts connections and never answers (SIGSTOP)", "pod")
    verb("resume", "end of hang (SIGCONT)", "pod")
    verb("start", "bring a killed, stopped or hung pod back", "pod")
    sub = verb("resize", "make a pod bigger or smaller, at once and for good", "pod")
    for option, metavar in (("vcpus", "N"), ("ram", "MB"), ("disk", "GB"), ("volumes", "GB")):
        sub.add_argument(f"--{option}", metavar=metavar, type=int)
    sub = verb("tempest", "make a tempest workspace and print its directory", "target")
    sub = verb("tempest-run", "run the tests that match REGEX", "target", "regex")
    sub.add_argument("--concurrency", metavar="N", type=int, default=2)
    sub.add_argument("--json", metavar="FILE", type=pathlib.Path, help="test id -> result")
    sub = verb("tempest-compare", "what passes on a pod and not at the top; 1 if anything does")
    sub.add_argument("pod", metavar="POD.json", type=pathlib.Path)
    sub.add_argument("top", metavar="TOP.json", type=pathlib.Path)
    verb("reset", "down, and forget all data; keeps the tools and the schemas")
    verb("schemas", "write the migrated empty schemas to lab/schemas/")
    return top


def run_verb(lab: Lab, args: argparse.Namespace) -> int:
    match args.verb:
        case "install":
            install(lab)
        case "up":
            up(lab, args.count)
        case "down":
            down(lab, args.pods)
        case "status":
            print(status(lab))
        case "env":
            print(env(lab, args.target, args.user))
        case "kill":
            send(lab, args.pod, signal.SIGKILL)
        case "hang":
            send(lab, args.pod, signal.SIGSTOP)
        case "resume":
            send(lab, args.pod, signal.SIGCONT)
        case "start":
            start(lab, args.pod)
        case "resize":
            size = pods.Size(args.vcpus, args.ram, args.disk, args.volumes)
            resize(lab, args.pod, size)
        case "tempest":
            print(tempest.workspace(lab, args.target))
        case "tempest-run":
            install(lab)
            return run_tempest(lab, args.target, args.regex, args.concurrency, args.json)
        case "tempest-compare":
            return compare(args.pod, args.top)
        case "reset":
            reset(lab)
        case "schemas":
            infra.start_mariadb(lab)
            print(schemas.pack(lab))
    return 0


def main() -> int:
    widen_path()
    args = parser().parse_args()
    try:
        code = run_verb(Lab.from_environment(), args)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read our output has seen enough; nothing more must be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except urllib.error.HTTPError as error:
        print(f"{error.url}: {error}\n{error.read().decode(errors='replace')}", file=sys.stderr)
    except (LabError, ValueError) as error:
        print(error, file=sys.stderr)
    else:
        return code
    return 1
