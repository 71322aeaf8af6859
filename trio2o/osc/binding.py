# SPDX-License-Identifier: Apache-2.0
"""Commands ``openstack pod binding ...``."""

import argparse
from typing import Any

from osc_lib.command import command

from . import columns
from .client import client_of
from .pod import delete_each
from .project import add_project_domain, project_id


class ListBinding(command.Lister):
    """List which projects are bound to which pods, oldest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--project", metavar="<project>", help="Only of this project (name or ID)"
        )
        add_project_domain(parser)
        parser.add_argument("--pod", metavar="<pod>", help="Only of this pod (name or ID)")
        parser.add_argument("--availability-zone", metavar="<zone>", help="Only of this zone")
        state = parser.add_mutually_exclusive_group()
        state.add_argument(
            "--history",
            action="store_true",
            help="Also those that ended (default: only those in force)",
        )
        state.add_argument("--ended", action="store_true", help="Only those that ended")
        parser.add_argument("--limit", type=int, metavar="<count>", help="Show at most so many")
        parser.add_argument("--marker", metavar="<binding>", help="Go on after this one (ID)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[list[Any]]]:
        manager = self.app.client_manager
        client = client_of(self)
        query = {
            "pod": parsed_args.pod,
            "az_name": parsed_args.availability_zone,
            "marker": parsed_args.marker,
        }
        if parsed_args.project:
            query["project_id"] = project_id(
                manager, parsed_args.project, parsed_args.project_domain
            )
        if not parsed_args.history:
            query["in_force"] = "false" if parsed_args.ended else "true"
        rows = client.list_("bindings", "pod_bindings", query, parsed_args.limit)
        return columns.lines(rows, columns.BINDING)


class ShowBinding(command.ShowOne):
    """Show a binding."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("binding", metavar="<binding>", help="Binding (ID)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        client = client_of(self)
        row = client.show("bindings", parsed_args.binding, "pod_binding")
        return columns.fields(row, columns.BINDING, "pod_id")


class CreateBinding(command.ShowOne):
    """Bind a project to a pod."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("project", metavar="<project>", help="Project (name or ID)")
        parser.add_argument("pod", metavar="<pod>", help="Pod (name or ID)")
        add_project_domain(parser)
        parser.add_argument(
            "--preferred",
            action="store_true",
            help="Try this pod first for the project's new servers and volumes of the zone",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[list[str], list[Any]]:
        manager = self.app.client_manager
        client = client_of(self)
        project = project_id(manager, parsed_args.project, parsed_args.project_domain)
        row = client.create(
            "bindings",
            "pod_binding",
            {"project_id": project, "pod": parsed_args.pod, "preferred": parsed_args.preferred},
        )
        return columns.fields(row, columns.BINDING, "pod_id")


class SetBinding(command.Command):
    """Change a binding."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("binding", metavar="<binding>", help="Binding (ID)")
        parser.add_argument(
            "--preferred",
            action="store_true",
            required=True,
            help="Try its pod first; another binding of the project and zone stops being it",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        client_of(self).update("bindings", parsed_args.binding, "pod_binding", {"preferred": True})


class DeleteBinding(command.Command):
    """End bindings; they stay as history, and resources stay where they are."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("bindings", metavar="<binding>", nargs="+", help="Bindings (IDs)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        delete_each(client_of(self), "bindings", parsed_args.bindings)
