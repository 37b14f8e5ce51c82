"""Field data that are no part of the repository: a test that needs them is skipped where they are not."""

import os
from pathlib import Path

import pytest

__all__ = ["field_file"]


def field_file(*parts: str) -> Path:
    """A file in the folder that CLOUDCHAMBER_FIELD names, or in shared/field beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "field"
    path = Path(os.environ.get("CLOUDCHAMBER_FIELD", str(beside))).joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"the field data {'/'.join(parts)} are not here")
    return path
