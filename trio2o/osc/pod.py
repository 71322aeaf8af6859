# SPDX-License-Identifier: Apache-2.0
"""Commands ``openstack pod ...``."""

import argparse
from collections.abc import Sequence
from typing import Any

from osc_lib.command import command
from osc_lib.exceptions import CommandError

from . import columns
from .client import AdminClient, Row, client_of

STATES = ("enabled", "maintenance", "disabled")


def _add_zones(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--availability-zone",
        metavar="<zone>",
        required=required,
        help="Availability zone of the gateway's region that the pod serves",
    )
    parser.add_argument(
        "--pod-availability-zone",
        metavar="<pod-zone>",
        help="What that zone is called in the pod (default: zones are not named to the pod)",
    )
    parser.add_argument("--data-center", metavar="<data-center>", help="Data center of the pod")
    parser.add_argument(
        "--state",
        choices=STATES,
        help="enabled; maintenance: new servers and volumes go elsewhere; disabled: the pod is "
        "not asked for anything",
    )


def _add_pod(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pod", metavar="<pod>", help="Pod (name or ID)")


def _changes(parsed_args: argparse.Namespace) -> Row:
    named = {
        "az_name": parsed_args.availability_zone,
        "pod_az_name": parsed_args.pod_availability_zone,
        "dc_name": parsed_args.data_center,
        "state": parsed_args.state,
    }
    return {name: value for name, value in named.items() if value is not None}


class ListPod(command.Lister):
    """List pods."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--availability-zone", metavar="<zone>", help="Only pods that serve this zone"
        )
        parser.add_argument("--state", choices=STATES, help="Only pods in this state")
        parser.add_argument("--tag", metavar="<tag>", help="Only pods with this tag")
        parser.add_argument(
            "--data-center", metavar="<data-center>", help="Only pods of this data center"
        )
        parser.add_argument("--long", action="store_true", help="Show more columns")
        parser.add_argument("--limit", type=int, metavar="<count>", help="Show at most so many")
        parser.add_argument("--marker", metavar="<pod-id>", help="Go on after this pod (ID)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[list[Any]]]:
        client = client_of(self)
        query = {
            "az_name": parsed_args.availability_zone,
            "state": parsed_args.state,
            "tag": parsed_args.tag,
            "dc_name": parsed_args.data_center,
            "marker": parsed_args.marker,
        }
        rows = client.list_("pods", "pods", query, parsed_args.limit)
        return columns.lines(rows, columns.POD_LONG if parsed_args.long else columns.POD)


class ShowPod(command.ShowOne):
    """Show a pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_pod(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        client = client_of(self)
        return _shown(client.show("pods", parsed_args.pod, "pod"))


class CreatePod(command.ShowOne):
    """Register a pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<region>", help="The pod: its region in Keystone")
        _add_zones(parser, required=True)
        parser.add_argument(
            "--tag",
            metavar="<tag>",
            dest="tags",
            action="append",
            default=[],
            help="Word that placement may ask for (repeat for several)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        client = client_of(self)
        row = {"name": parsed_args.name, "tags": sorted(set(parsed_args.tags))}
        return _shown(client.create("pods", "pod", {**row, **_changes(parsed_args)}))


class SetPod(command.Command):
    """Change a pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_pod(parser)
        _add_zones(parser, required=False)
        parser.add_argument(
            "--tag",
            metavar="<tag>",
            dest="tags",
            action="append",
            default=[],
            help="Tag to be added (repeat for several)",
        )
        parser.add_argument(
            "--no-tag", action="store_true", help="Take all tags away; --tag adds then"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = client_of(self)
        changes = _changes(parsed_args)
        if parsed_args.tags or parsed_args.no_tag:
            known = client.show("pods", parsed_args.pod, "pod")
            kept = () if parsed_args.no_tag else known["tags"]
            changes["tags"] = sorted({*kept, *parsed_args.tags})
            changes["generation"] = known["generation"]
        _update(client, parsed_args.pod, changes)


class UnsetPod(command.Command):
    """Take tags or names away from a pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_pod(parser)
        parser.add_argument(
            "--pod-availability-zone",
            action="store_true",
            help="Name no zone to the pod",
        )
        parser.add_argument("--data-center", action="store_true", help="Forget the data center")
        tags = parser.add_mutually_exclusive_group()
        tags.add_argument(
            "--tag",
            metavar="<tag>",
            dest="tags",
            action="append",
            default=[],
            help="Tag to be taken away (repeat for several)",
        )
        tags.add_argument("--all-tag", action="store_true", help="Take all tags away")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = client_of(self)
        changes: Row = {}
        if parsed_args.pod_availability_zone:
            changes["pod_az_name"] = ""
        if parsed_args.data_center:
            changes["dc_name"] = ""
        if parsed_args.tags:
            known = client.show("pods", parsed_args.pod, "pod")
            changes["tags"] = sorted(set(known["tags"]) - set(parsed_args.tags))
            changes["generation"] = known["generation"]
        elif parsed_args.all_tag:
            changes["tags"] = []
        _update(client, parsed_args.pod, changes)


class DeletePod(command.Command):
    """Take pods out; what is in them is not touched."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("pods", metavar="<pod>", nargs="+", help="Pods (names or IDs)")
        parser.add_argument(
            "--forget",
            action="store_true",
            help="Take disabled pods out although things are in them: the gateway's region "
            "forgets them, the pods keep them",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client = client_of(self)
        query = {"forget": "true"} if parsed_args.forget else {}
        delete_each(client, "pods", parsed_args.pods, query)


def delete_each(
    client: AdminClient, path: str, names: Sequence[str], query: dict[str, str] | None = None
) -> None:
    """Delete all that can be deleted.  Raises CommandError with what was said of the others."""
    refused = []
    for name in names:
        try:
            client.delete(path, name, query)
        except CommandError as error:
            refused.append(f"{name}: {error}")
    if refused:
        raise CommandError("\n".join(refused))


def _update(client: AdminClient, pod: str, changes: Row) -> None:
    if not changes:
        raise CommandError("Nothing to change: give at least one option.")
    client.update("pods", pod, "pod", changes)


def _shown(pod: Row) -> tuple[list[str], list[Any]]:
    return columns.fields(pod, columns.POD_LONG, "generation")
