# SPDX-License-Identifier: Apache-2.0
"""What holds for every row of the tables."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trio2o.model import Kind, Service
from trio2o.ops import AnswerName, FoldName, Listing, Op, Ref, RoutingClass, SortStyle
from trio2o.ops.definitions import DEFINITIONS
from trio2o.ops.kinds import KINDS
from trio2o.ops.tables import TABLES

OPS = [op for table in TABLES for op in table]
PATHS = {(op.service, op.method, op.path) for op in OPS}
VERSION = re.compile(r"[23]\.\d+")


def of(*routing: RoutingClass) -> Iterator[Op]:
    return (op for op in OPS if op.routing in routing)


def parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def listings() -> Iterator[tuple[Op, Listing]]:
    """Every listing of a row, the older ones too."""
    for op in of(RoutingClass.LIST):
        listing = op.listing
        assert listing is not None
        yield op, listing
        while listing.older:
            listing = listing.older[1]
            yield op, listing


def test_a_route_is_taken_apart() -> None:
    op = next(op for op in OPS if op.action == "createBackup")
    assert (op.service, op.method, op.path) == (
        Service.COMPUTE,
        "POST",
        "/servers/{server}/action",
    )


def test_paths_are_well_formed() -> None:
    for op in OPS:
        assert re.fullmatch(r"/|(/(\{[a-z_]+\}|[A-Za-z0-9_-]+))+", op.path), op.route
        assert len(set(parameters(op.path))) == len(parameters(op.path)), op.route
        assert op.action == "" or op.path.endswith("/action"), op.route


def test_a_row_by_id_has_a_parameter_of_its_kind() -> None:
    for op in of(RoutingClass.BY_ID):
        assert op.kind is not None, op.route
        assert (op.param or op.kind) in parameters(op.path), op.route


def test_a_row_by_reference_names_something() -> None:
    for op in of(RoutingClass.BY_REF, RoutingClass.SPLIT):
        assert op.refs, op.route


def test_a_list_says_what_and_how() -> None:
    for op in of(RoutingClass.LIST):
        assert op.kind is not None, op.route
        assert op.listing is not None, op.route


def test_a_create_says_what_and_where_its_id_is() -> None:
    for op in of(RoutingClass.CREATE):
        assert op.kind is not None, op.route
        assert op.made_at, op.route


def test_what_is_made_is_made_somewhere() -> None:
    for op in OPS:
        if op.makes:
            assert op.made_at, op.route
        elif op.made_at:
            assert op.routing is RoutingClass.CREATE, op.route


def test_an_aggregate_has_a_fold() -> None:
    for op in of(RoutingClass.AGGREGATE):
        assert FoldName(op.fold) is op.fold, op.route


def test_a_local_row_has_an_answer() -> None:
    for op in of(RoutingClass.LOCAL):
        assert AnswerName(op.answer) is op.answer, op.route


def test_every_fold_and_every_answer_is_used() -> None:
    assert {op.fold for op in OPS if op.fold} == set(FoldName)
    assert {op.answer for op in OPS if op.answer} == set(AnswerName)


def test_a_replicated_row_has_a_definition() -> None:
    for op in of(RoutingClass.REPLICATED):
        definition = DEFINITIONS[op.definition]
        if not definition.id_is_same and "{" in op.path:
            assert definition.param in parameters(op.path), op.route


def test_what_is_not_done_has_a_reason_and_a_status() -> None:
    for op in of(RoutingClass.GONE):
        assert op.reason, op.route
        assert op.status == (400 if op.action == "os-getRDPConsole" else 410), op.route
    for op in of(RoutingClass.REFUSED):
        assert op.reason, op.route
        assert op.status == 404, op.route


def test_a_row_has_nothing_that_is_of_another_class() -> None:
    for op in OPS:
        assert bool(op.listing) == (op.routing is RoutingClass.LIST), op.route
        assert bool(op.fold) == (op.routing is RoutingClass.AGGREGATE), op.route
        assert bool(op.answer) == (op.routing is RoutingClass.LOCAL), op.route
        assert bool(op.definition) == (op.routing is RoutingClass.REPLICATED), op.route
        assert bool(op.reason) == (op.routing in (RoutingClass.GONE, RoutingClass.REFUSED)), (
            op.route
        )


def test_microversions_are_of_the_service() -> None:
    for op in OPS:
        for version in (op.since, op.until):
            if version:
                assert VERSION.fullmatch(version), op.route
                assert version[0] == {Service.COMPUTE: "2", Service.VOLUME: "3"}[op.service]


def test_a_get_that_writes_is_marked() -> None:
    marked = {op.path for op in OPS if op.method == "GET" and op.changes}
    assert marked == {
        "/qos-specs/{qos_specs}/associate",
        "/qos-specs/{qos_specs}/disassociate",
        "/qos-specs/{qos_specs}/disassociate_all",
        "/os-hosts/{host}/reboot",
        "/os-hosts/{host}/shutdown",
        "/os-hosts/{host}/startup",
    }


def test_image_data_is_streamed() -> None:
    streamed = {(op.method, op.path): (op.upload, op.download) for op in OPS}
    assert {route: how for route, how in streamed.items() if any(how)} == {
        ("GET", "/images/{image}/file"): (False, True),
        ("PUT", "/images/{image}/file"): (True, False),
        ("PUT", "/images/{image}/stage"): (True, False),
    }


# -------------------------------------------------------------------- references


def references() -> list[tuple[Op, Ref]]:
    return [(op, ref) for op in OPS for ref in op.refs]


def test_a_reference_is_a_path_into_the_body_or_a_parameter() -> None:
    step = r"[A-Za-z0-9_:-]+"
    for op, ref in references():
        assert re.fullmatch(rf"\?{step}(\.{step})*|{step}(\[\])?(\.{step}(\[\])?)*", ref.at), ref
        assert ref.at.startswith("?") or op.method in ("POST", "PUT"), op.route


def test_a_reference_is_said_to_be_missing_in_words_that_can_be_filled() -> None:
    for _, ref in references():
        text = ref.missing or KINDS[ref.kind].not_found
        assert "{" not in text.format(id="0"), ref
        assert ref.missing_status in (400, 404), ref
        assert not (ref.loose and ref.missing), ref


def test_an_action_reads_its_references_below_its_own_key() -> None:
    for op, ref in references():
        if op.action:
            assert ref.at.startswith(f"{op.action}."), op.route


# ---------------------------------------------------------------------- listings


def test_a_brief_list_asks_for_a_list_that_is_there() -> None:
    for op, listing in listings():
        if listing.ask:
            assert (op.service, "GET", listing.ask) in PATHS, op.route
            assert listing.brief, op.route
        else:
            assert not listing.brief, op.route


def test_a_brief_list_shows_the_id() -> None:
    for op, listing in listings():
        if listing.brief:
            assert "id" in listing.brief, op.route


def test_every_default_order_is_shown_or_left_to_the_pods() -> None:
    hidden = {"attachments", "server_groups"}
    for op, listing in listings():
        for key, direction in listing.default_sort:
            assert key in listing.fields or listing.envelope in hidden, op.route
            assert direction in ("asc", "desc"), op.route


def test_a_list_without_markers_knows_offsets() -> None:
    for op, listing in listings():
        assert listing.marker_field or listing.offset, op.route
        assert listing.marker_field or listing.sort is SortStyle.FIXED, op.route


def test_what_comes_whole_has_no_markers_and_no_links() -> None:
    whole = {(op.path, listing.envelope) for op, listing in listings() if listing.whole}
    assert {path.removesuffix("/detail") for path, _ in whole} == {
        "/group_snapshots",
        "/messages",
        "/os-volume-transfer",
        "/volume-transfers",
    }
    for op, listing in listings():
        if listing.whole:
            assert not listing.marker_field, op.route
            assert not listing.links, op.route


def test_each_service_refuses_a_marker_in_its_way() -> None:
    status = {Service.COMPUTE: 400, Service.VOLUME: 404, Service.IMAGE: 400}
    for op, listing in listings():
        if listing.marker_field:
            assert listing.bad_marker_status == status[op.service], op.route


def test_a_detailed_and_a_brief_list_have_one_order() -> None:
    by_path = {op.path: op.listing for op in of(RoutingClass.LIST)}
    for path, detailed in by_path.items():
        brief = by_path.get(path.removesuffix("/detail"))
        if path.endswith("/detail"):
            assert detailed
            assert brief
            assert brief.default_sort == detailed.default_sort, path
            assert brief.fields.items() <= detailed.fields.items(), path


# ------------------------------------------------------------------------- kinds


def test_every_kind_has_its_facts() -> None:
    assert set(KINDS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_shown_by_a_row(kind: Kind) -> None:
    facts = KINDS[kind]
    assert facts.not_found.format(id="x") != "{id}"
    if facts.service is Service.NETWORK:
        return  # Neutron has no table here
    path = facts.show.format(id=f"{{{kind}}}")
    (op,) = (op for op in OPS if (op.service, op.method, op.path) == (facts.service, "GET", path))
    assert op.routing is RoutingClass.BY_ID
    if facts.since and op.since:
        assert _number(facts.since) >= _number(op.since)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


# ------------------------------------------------------------------ documentation


def test_the_page_of_operations_is_not_stale() -> None:
    generator = Path(__file__).parents[2] / "doc" / "generate_operations.py"
    done = subprocess.run(
        [sys.executable, generator, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
