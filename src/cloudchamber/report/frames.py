"""Data frames as JSON that can stand inside a page, and values as people read them."""

__all__ = ["cell_text", "column", "column_texts", "inert_json", "plain", "records", "visible"]

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import SpecificationError
from cloudchamber.trace.texts import visible

if TYPE_CHECKING:
    import pandas as pd

_EXACT = 2**53  # integers beyond it change when a browser reads them


def column(name: object) -> str:
    """A column's name that Vega-Lite, R and pandas all take as it is: letters, digits and _."""
    word = re.sub(r"\W+", "_", str(name), flags=re.ASCII).strip("_")
    return word if word and not word[0].isdigit() else f"c_{word}".rstrip("_")


def records(frame: "pd.DataFrame") -> dict[str, list[Any]]:
    """A frame as ``{"fields": [name], "rows": [[value]]}``; NaN and infinities become null.

    Raises:
        SpecificationError: two columns have one name.
    """
    fields = [visible(name) for name in frame.columns]
    if len(set(fields)) < len(fields):
        raise SpecificationError(
            f"A figure's or table's data have columns {fields}; allowed: each name once."
        )
    columns = [[plain(value) for value in frame.iloc[:, i].tolist()] for i in range(len(fields))]
    return {"fields": fields, "rows": [list(row) for row in zip(*columns, strict=True)]}


def plain(value: Any) -> Any:
    """One value as JSON has it, texts visible; lists and mappings through and through."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return plain(value.item())
    if str(value) in ("NaT", "<NA>", "nan"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return visible(value)


def inert_json(value: Any) -> str:
    """JSON in ASCII without <, > or &: it can end no element and start no script."""
    text = json.dumps(plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def cell_text(value: Any) -> str:
    """A value for a reader: three significant digits, grouped thousands, – for nothing."""
    known = plain(value)
    if known is None:
        return "–"
    if isinstance(known, bool):
        return "yes" if known else "no"
    if isinstance(known, int):
        return f"{known:,}".replace("-", "−")
    if isinstance(known, float):
        return _number(known)
    return str(known)


def column_texts(values: Sequence[Any]) -> list[str]:
    """The cells of one column: numbers that are not whole share their number of decimals."""
    known = [plain(value) for value in values]
    sizes = [abs(value) for value in known if isinstance(value, float) and value]
    if not sizes or max(sizes) >= 1000 or max(sizes) < 0.001:
        return [cell_text(value) for value in known]
    decimals = max(0, 2 - math.floor(math.log10(max(sizes))))
    return [
        f"{value:.{decimals}f}".replace("-", "−") if isinstance(value, float) else cell_text(value)
        for value in known
    ]


def _number(value: float) -> str:
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1000:
        text = f"{value:,.0f}"
    elif size >= 0.001:
        decimals = max(0, 2 - math.floor(math.log10(size)))
        text = f"{value:.{decimals}f}"
    else:
        text = f"{value:.1e}"
    return text.replace("-", "−", 1) if value < 0 else text
