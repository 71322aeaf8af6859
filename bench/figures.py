# SPDX-License-Identifier: Apache-2.0
"""What was measured: always next to the same thing measured on a baseline in the same run."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison.

    ours, theirs: what was measured, in ``unit``; theirs is the baseline's.
    target: the bound that ``ratio`` (ours / theirs), or ours where the target is one of CPU
        or calls, shall keep; as text, since some are bounds from below.
    met: whether it does; None where there is no target.
    """

    bench: str
    what: str
    unit: str
    ours: float
    baseline: str
    theirs: float
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("nan")


def document(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [{**asdict(figure), "ratio": figure.ratio} for figure in figures]


def table(figures: Sequence[Figure]) -> str:
    head = ("", "ours", "baseline", "", "ratio", "target", "")
    rows = [head, *map(_row, figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in (1, 2, 4) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{_short(figure.ours)} {figure.unit}",
        f"{_short(figure.theirs)} {figure.unit}",
        figure.baseline,
        _ratio(figure.ratio),
        figure.target,
        {None: "", True: "met", False: "MISSED"}[figure.met],
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(ratio: float) -> str:
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 0.5 else f"{ratio:.2f}"


def percentile(values: Iterable[float], share: float) -> float:
    """The least value that ``share`` (0..1) of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def middle(values: Iterable[float]) -> float:
    return median(values)
