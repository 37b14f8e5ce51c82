"""Tables of results, kept as Parquet beside the traces."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load", "save"]


def save(frame: "pd.DataFrame", path: Path | str) -> Path:
    """Write a table as Parquet, whole or not at all."""
    import duckdb  # slow to import

    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with duckdb.connect() as connection:
        connection.register("given", frame)
        connection.table("given").write_parquet(str(part), compression="zstd")
    return part.replace(target)


def load(path: Path | str) -> "pd.DataFrame":
    """A table as `save` wrote it."""
    import duckdb

    with duckdb.connect() as connection:
        frame: pd.DataFrame = connection.read_parquet(str(path)).df()
    return frame
