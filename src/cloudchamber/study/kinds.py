"""What a study is given, field by field: of another kind it is refused, where it was given."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Axis, Cell
from cloudchamber.intervention import Intervention
from cloudchamber.measures import Measure
from cloudchamber.mechanism import Mechanism
from cloudchamber.microspec import Microspec
from cloudchamber.phenomenon import Phenomenon
from cloudchamber.validation.published import Comparator

__all__ = ["check_kinds"]

_ONE: tuple[tuple[str, Any, str], ...] = (
    ("phenomenon", Phenomenon, "a Phenomenon"),
    ("microspec", Microspec, "a Microspec"),
    ("replicates", int, "a whole number"),
    ("null", Intervention | None, "an Intervention, e.g. isolate(), or None"),
    ("attack", Intervention | None, "an Intervention, e.g. pin(7), or None"),
)
_SEVERAL: tuple[tuple[str, Any, str], ...] = (
    ("factors", Axis, "Factor"),
    ("more", Cell, "Cell"),
    ("interventions", Intervention, "Intervention"),
    ("notes", str, "str"),
    ("also", Measure, "Measure"),
    ("published", Comparator, "Comparator"),
)


def check_kinds(study: Any) -> None:
    """Refuse what is of another kind.

    Raises:
        SpecificationError: names the field, what was given and what is allowed.
    """
    for name, kind, allowed in _ONE:
        given = getattr(study, name)
        if not isinstance(given, kind):
            raise SpecificationError(_refused(name, given, allowed))
    for name, kind, told in _SEVERAL:
        given = getattr(study, name)
        if isinstance(given, str) or not all(isinstance(one, kind) for one in given):
            raise SpecificationError(_refused(name, given, f"a tuple of {told} values"))
    named = study.mechanisms
    if not isinstance(named, Mapping) or not all(
        isinstance(name, str) and isinstance(one, Mechanism) for name, one in named.items()
    ):
        raise SpecificationError(
            _refused("mechanisms", named, "mechanisms by name, the first the hypothesis' own")
        )


def _refused(name: str, given: object, allowed: str) -> str:
    return f"{name}: {given!r:.80} was given; allowed: {allowed}."
