# SPDX-License-Identifier: Apache-2.0
"""Commands ``openstack routing ...`` and ``openstack placement ...``."""

import argparse
from typing import Any

from osc_lib.command import command

from . import columns
from .client import Row, client_of
from .project import add_project_domain, project_id


class _List(command.Lister):
    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--kind", metavar="<kind>", help="Only of this kind: server, volume, image..."
        )
        parser.add_argument(
            "--project", metavar="<project>", help="Only of this project (name or ID)"
        )
        add_project_domain(parser)
        parser.add_argument("--limit", type=int, metavar="<count>", help="Show at most so many")
        parser.add_argument("--marker", metavar="<resource>", help="Go on after this one (ID)")
        return parser

    def query(self, parsed_args: argparse.Namespace) -> dict[str, Any]:
        query = {"kind": parsed_args.kind, "marker": parsed_args.marker}
        if parsed_args.project:
            query["project_id"] = project_id(
                self.app.client_manager, parsed_args.project, parsed_args.project_domain
            )
        return query


class ListRouting(_List):
    """List what is known to be in which pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("--pod", metavar="<pod>", help="Only of this pod (name or ID)")
        parser.add_argument(
            "--created-since",
            metavar="<time>",
            help="Only of resources created then or later, such as 2026-01-31T12:00:00Z",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[list[Any]]]:
        client = client_of(self)
        query = {
            **self.query(parsed_args),
            "pod": parsed_args.pod,
            "created_since": parsed_args.created_since,
        }
        rows = client.list_("routings", "routings", query, parsed_args.limit)
        return columns.lines(rows, columns.ROUTING)


class ShowRouting(command.ShowOne):
    """Show in which pod a resource lives."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("resource", metavar="<resource>", help="Server, volume... (ID)")
        parser.add_argument(
            "--kind", metavar="<kind>", help="Its kind, when things of several kinds have the ID"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        client = client_of(self)
        query = {"kind": parsed_args.kind}
        row = client.show("routings", parsed_args.resource, "routing", query)
        return columns.fields(row, columns.ROUTING, "pod_id")


class ListPlacement(_List):
    """List what was placed, newest first."""

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[list[Any]]]:
        client = client_of(self)
        query = self.query(parsed_args)
        rows = client.list_("placements", "placements", query, parsed_args.limit)
        return columns.lines(rows, columns.PLACEMENT)


class ShowPlacement(command.ShowOne):
    """Show why a resource was placed in its pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("resource", metavar="<resource>", help="Server, volume... (ID)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        client = client_of(self)
        row = client.show("placements", parsed_args.resource, "placement")
        return columns.fields(row, columns.PLACEMENT, "explanation")


class ExplainPlacement(command.Lister):
    """Show for each pod why a resource was placed in it or not."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("resource", metavar="<resource>", help="Server, volume... (ID)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[list[Any]]]:
        placement = client_of(self).show("placements", parsed_args.resource, "placement")
        return columns.lines(explained(placement["explanation"]), columns.EXPLANATION)


def explained(explanation: Row) -> list[Row]:
    """A row for each pod: those that could take the resource, best first, then the others."""
    rows = []
    for one in explanation.get("ranked", ()):
        why = [f"{name} {value:g}" for name, value in one.get("weights", {}).items() if value]
        if said := (one.get("room") or {}).get("why"):
            why.append(said)
        chosen = one["pod"] == explanation.get("chosen")
        rows.append(
            {
                "pod": one["pod"],
                "zone": one.get("zone", ""),
                "outcome": "chosen" if chosen else "possible",
                "score": one.get("score"),
                "why": ", ".join(why),
            }
        )
    rows += [
        {
            "pod": one["pod"],
            "zone": one.get("zone", ""),
            "outcome": f"not by {one['filter']}",
            "score": None,
            "why": one["why"],
        }
        for one in explanation.get("dropped", ())
    ]
    rows += [
        {"pod": "", "zone": "", "outcome": "refused", "score": None, "why": said}
        for said in explanation.get("failures", ())
    ]
    return rows
