# SPDX-License-Identifier: Apache-2.0
"""In which order a service lists things, and how two things compare in it.

The order is cosmetic: nothing here may decide whether an item is shown. Completeness rests
on positions, see merge.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trio2o.errors import BadRequest
from trio2o.ops import Listing, SortStyle

Pairs = Sequence[tuple[str, str]]
Item = Mapping[str, Any]
Comparable = tuple[Any, ...]


class SortKey(NamedTuple):
    """path: where an item shows the value; None if it does not."""

    name: str
    path: tuple[str, ...] | None
    descending: bool


Sort = tuple[SortKey, ...]


def parse_sort(listing: Listing, query: Pairs) -> Sort:
    """The order that ``query`` asks for, ended by the service's own tie-break.

    An unknown key or direction is the pods' to refuse: they get the same query.
    Raises BadRequest where the service refuses a mixture of its two forms.
    """
    match listing.sort:
        case SortStyle.NOVA:
            asked, tie = _nova(listing, query)
        case SortStyle.CINDER:
            asked, tie = _cinder(listing, query)
        case SortStyle.GLANCE:
            asked, tie = _glance(listing, query)
        case SortStyle.FIXED:
            asked = list(listing.default_sort)
            tie = asked[-1][1] if asked else "asc"
    if listing.sort in (SortStyle.CINDER, SortStyle.GLANCE) and "created_at" in listing.fields:
        # Both append created_at and then the id, unless they were asked for.
        asked.append(("created_at", tie))
    tie_key, tie_direction = listing.tie
    asked.append((tie_key, tie if tie_direction == "same" else tie_direction))
    sort: dict[str, SortKey] = {}
    for name, direction in asked:
        path = listing.fields.get(name) or (listing.marker_field if name == tie_key else "")
        key = SortKey(name, tuple(path.split(".")) if path else None, direction == "desc")
        sort.setdefault(name, key)
    return tuple(sort.values())


_Asked = tuple[list[tuple[str, str]], str]


def _nova(listing: Listing, query: Pairs) -> _Asked:
    # nova/api/openstack/common.py@34.0.0: get_sort_params;
    # nova/db/utils.py: process_sort_params gives a missing direction the first one.
    keys = [value.strip() for name, value in query if name == "sort_key"]
    directions = [value.strip() for name, value in query if name == "sort_dir"]
    if not keys and not directions:
        return list(listing.default_sort), listing.default_sort[0][1]
    first = directions[0] if directions else "desc"
    directions += [first] * (len(keys) - len(directions))
    return list(zip(keys or ["created_at"], directions, strict=False)), first


def _cinder(listing: Listing, query: Pairs) -> _Asked:
    # cinder/api/common.py@29.0.0: get_sort_params; cinder/db/api.py: process_sort_params
    given = dict(reversed(query))  # of a repeated parameter, the first
    asked = list(listing.default_sort)
    if "sort" in given:
        if "sort_key" in given or "sort_dir" in given:
            raise BadRequest(
                "The 'sort_key' and 'sort_dir' parameters are deprecated and "
                "cannot be used with the 'sort' parameter."
            )
        asked = _pairs_of(given["sort"])
    elif "sort_key" in given or "sort_dir" in given:
        key = given.get("sort_key", "created_at")
        asked = [(key.strip(), given.get("sort_dir", "desc").strip())]
    return asked, asked[0][1]


def _glance(listing: Listing, query: Pairs) -> _Asked:
    # glance/api/v2/images.py@33.0.0: RequestDeserializer._get_sorting_params;
    # glance/db/sqlalchemy/api.py: _image_get_all: one direction is that of the tie too
    keys = [value.strip() for name, value in query if name == "sort_key"]
    directions = [value.strip() for name, value in query if name == "sort_dir"]
    whole = [value for name, value in query if name == "sort"]
    if whole:
        if keys or directions:
            raise BadRequest("Old and new sorting syntax cannot be combined")
        asked = _pairs_of(whole[0])
        return asked, asked[0][1] if len(asked) == 1 else "desc"
    if not keys and not directions:
        return list(listing.default_sort), listing.default_sort[0][1]
    if len(directions) > 1 and len(directions) != len(keys):
        raise BadRequest("Number of sort dirs does not match the number of sort keys")
    tie = directions[0] if len(directions) == 1 else "desc"
    if len(directions) < 2:
        directions = [tie] * max(1, len(keys))
    return list(zip(keys or ["created_at"], directions, strict=False)), tie


def _pairs_of(text: str) -> list[tuple[str, str]]:
    pairs = (part.partition(":") for part in text.strip().split(","))
    return [(key.strip(), direction.strip() or "desc") for key, _, direction in pairs]


class _Reversed:
    """A string that sorts backwards."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: "_Reversed") -> bool:
        return other.text < self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other.text == self.text

    __hash__ = None  # type: ignore[assignment]


def _comparable(value: object, *, descending: bool) -> tuple[int, Any]:
    # NULL is the smallest in MySQL, its collations take no notice of case, and numbers and
    # strings never stand in one column.
    if isinstance(value, str):
        text = value.lower()
        return (-2, _Reversed(text)) if descending else (2, text)
    if value is None:
        return (0, 0)
    if isinstance(value, (bool, int, float)):
        return (-1, -value) if descending else (1, value)
    text = str(value)
    return (-3, _Reversed(text)) if descending else (3, text)


def values_of(item: Item, sort: Sort) -> tuple[Any, ...]:
    """What ``item`` shows for each key of ``sort``; JSON can hold it. None if not shown."""
    return tuple(value_at(item, key.path) for key in sort)


def value_at(item: Item, path: tuple[str, ...] | None) -> Any:
    """What stands at ``path`` in ``item``; None when it leads nowhere."""
    value: Any = item
    for name in path or ("",):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def comparable(values: Sequence[Any], sort: Sort) -> Comparable:
    """A tuple that sorts as ``sort`` says, of what values_of() gave.

    It ends at the first key that items do not show: what is left is equal.
    """
    made = []
    for value, key in zip(values, sort, strict=True):
        if key.path is None:
            break
        made.append(_comparable(value, descending=key.descending))
    return tuple(made)


class After:
    """Which items of one pod, called in the pod's order, come after a marker.

    For a pod that cannot be continued from an id: the cursor is lost, or the id that the
    pod was to be continued from is gone. The pod is then asked from its first page.

    Once one item sorts after the marker, all that follow do: a pod's own order is not
    strictly sorted (Nova puts servers that are still being built first), and the merge
    takes an item only after those that the pod listed before it. So nothing that was not
    shown is dropped; some that were shown may be shown again.

    own: the marker is the pod's own, gone item. What equals it in all but the tie-break
        counts as after it, since a pod may break ties by what it does not show.
    """

    def __init__(self, sort: Sort, values: Sequence[Any], *, own: bool = False) -> None:
        if own:
            sort, values = sort[:-1], values[:-1]
        self._sort = sort
        self._marker = comparable(values, sort)
        self._own = own
        self._passed = False

    def __call__(self, item: Item) -> bool:
        if not self._passed:
            key = comparable(values_of(item, self._sort), self._sort)
            self._passed = self._marker < key or (self._own and self._marker == key)
        return self._passed
