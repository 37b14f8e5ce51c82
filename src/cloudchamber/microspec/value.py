"""Frozen, typed, hashable values: what every part of a microspecification is made of.

A `Value` is immutable and compares by content. A `Family` is a value of one of several kinds (an order of
display, a kind of turns, a world), told apart by its `kind`; kinds register themselves when their class is
made, so one defined outside the package is accepted like our own.
"""

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NoReturn, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, ValidationError
from pydantic.annotated_handlers import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue, PydanticJsonSchemaWarning
from pydantic_core import CoreSchema, core_schema

from cloudchamber.errors import SpecificationError, nearest

__all__ = ["Family", "Flag", "FrozenDict", "Real", "Value", "Whole", "counted", "json_schema"]

# A number is a number: "3", True and 3.5 are not taken for the integer 3.
Whole = Annotated[int, Strict()]
# Adding 0 turns -0.0 into 0.0: equal values are to have equal hashes.
Real = Annotated[float, Strict(), AfterValidator(lambda number: number + 0.0)]
Flag = Annotated[bool, Strict()]

K = TypeVar("K")
V = TypeVar("V")


def readable(error: ValidationError, owner: str) -> str:
    """Every error of a validation on a line of its own: the field, what is wrong, what was given."""
    lines, found = [], error.errors()
    for detail in found:
        if detail["type"] == "too_short" and any(
            _within(one["loc"], detail["loc"]) for one in found
        ):
            continue  # it lacks only the entry that is wrong itself
        path = ".".join(str(part) for part in detail["loc"]) or owner
        if detail["type"] == "extra_forbidden":
            lines.append(f"{path}: no such field.")
        elif detail["type"] == "missing":
            lines.append(f"{path}: a value is needed.")
        elif detail["type"] in ("too_short", "too_long"):
            side, key = ("at least", "min") if detail["type"] == "too_short" else ("at most", "max")
            given, bound = detail["ctx"]["actual_length"], detail["ctx"][f"{key}_length"]
            lines.append(f"{path}: {given or 'none'} given; allowed: {side} {bound}.")
        else:
            message = detail["msg"].removeprefix("Value error, ")
            given = detail["input"]
            shown = "" if isinstance(given, Mapping | BaseModel) else f" (given: {_short(given)})"
            lines.append(f"{path}: {message}{shown}")
    return "\n".join(lines)


def _within(place: tuple[int | str, ...], whole: tuple[int | str, ...]) -> bool:
    """Whether a place lies inside another."""
    return len(place) > len(whole) and place[: len(whole)] == whole


def _short(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 80 else text[:77] + "..."


class FrozenDict(dict[K, V], Generic[K, V]):
    """A dictionary that refuses to change."""

    def _refuse(self, *given: object, **named: object) -> NoReturn:
        raise TypeError("a specification does not change; make another with replace()")

    __setitem__ = __delitem__ = __ior__ = update = pop = popitem = clear = setdefault = _refuse

    def __reduce__(self) -> tuple[type[Self], tuple[dict[K, V]]]:
        # As a whole: entry by entry, as a dictionary is unpickled and copied, it would refuse.
        return type(self), (dict(self),)


def _brief(part: object) -> str:
    """A part of a value in few words: of a long text its beginning, of many entries the first three."""
    if isinstance(part, str) and len(part) > 60:
        return repr(part[:57] + "...")
    if not isinstance(part, tuple):
        return repr(part)
    shown = part if len(part) <= 5 else part[:3]
    told = [_brief(entry) for entry in shown]
    if len(shown) < len(part):
        told.append(f"... {len(part)} in all")
    return f"({told[0]},)" if len(told) == 1 else f"({', '.join(told)})"


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Answering(ModelMetaclass):
    """Classes that say what is wrong where pydantic's would only repeat the name."""

    def __getattr__(cls, name: str) -> Any:  # noqa: N805 - of a metaclass the class is what self is
        try:
            return super().__getattr__(name)  # type: ignore[misc]  # pydantic has it at run time
        except AttributeError:
            pass
        if name in cls.__dict__.get("__pydantic_fields__", {}):
            what = f"{name!r} is a field of each {cls.__name__}, not of the class; make one first"
            raise AttributeError(what, name=name)
        known = [] if name.startswith("_") else sorted({*dir(cls)} - {*dir(BaseModel)})
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"the class {cls.__name__} has no {name!r}{hint}", name=name)


class Value(BaseModel, metaclass=_Answering):
    """A frozen value; building it with bad parts raises `SpecificationError` naming each field."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",
    )

    def __init__(self, **parts: Any) -> None:
        try:
            super().__init__(**parts)
        except ValidationError as error:
            title = type(self).__name__
            unknown = [d for d in error.errors() if d["type"] == "extra_forbidden"]
            hint = "".join(
                f"\n{d['loc'][-1]}: {nearest(str(d['loc'][-1]), type(self).model_fields)}"
                for d in unknown
                if len(d["loc"]) == 1
            )
            told = readable(error, title).removeprefix(f"{title}: ")
            raise SpecificationError(f"{title}: {told}{hint}") from None

    # Pydantic calls a custom __init__ for nested values too, which would end at the first error
    # instead of collecting them all; this mark (pydantic's own, for BaseModel.__init__) says not to.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    # By the fields alone: pydantic would compare cached properties too, arrays among them.
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash((type(self), self.model_dump_json()))

    def __repr__(self) -> str:
        # What is as it is by default goes without saying.
        told = (
            f"{name}={_brief(part)}"
            for name, known in type(self).model_fields.items()
            if (part := getattr(self, name)) != known.default
        )
        return f"{type(self).__name__}({', '.join(told)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap">{escape(self.aloud())}</pre>'

    def aloud(self) -> str:
        """The value as a sentence that can be read aloud."""
        return type(self).__name__

    def altered(self, **parts: Any) -> Self:
        """A copy with some fields changed, validated anew."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(kept | parts))


class Family(Value):
    """A value of one of several kinds; a bare string stands for a kind with its defaults.

    A root names the family by subclassing `Family` directly; a kind subclasses the root and gives its
    field `kind` a default.
    """

    kinds: ClassVar[dict[str, type["Family"]]]
    kind: str

    @classmethod
    def _is_root(cls) -> bool:
        # By name: this is asked while Family itself is being made.
        return any(base.__qualname__ == "Family" for base in cls.__bases__)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if cls._is_root():
            cls.kinds = {}
            return
        kind = cls.model_fields["kind"].default
        if isinstance(kind, str):
            cls.kinds[kind] = cls

    @classmethod
    def _one_of(cls, given: object) -> "Family":
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            given = {"kind": given}
        if not isinstance(given, Mapping) or "kind" not in given:
            raise ValueError(f"a kind is needed; {nearest('', cls.kinds)}")
        kind = given["kind"]
        if kind not in cls.kinds:
            raise ValueError(f"no kind {kind!r}; {nearest(str(kind), cls.kinds)}")
        return cls.kinds[kind].model_validate(dict(given))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if not cls._is_root():
            return handler(source)
        return core_schema.no_info_plain_validator_function(
            cls._one_of,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.model_dump(mode="json")
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if not cls._is_root():
            return handler(schema)
        # A kind may hold its own family (an order built on an order), so the kinds are not spelled out
        # here but once, by `json_schema`.
        return {"x-family": cls.__name__}


def json_schema(root: type[Value]) -> dict[str, Any]:
    """The JSON schema of a value, each family as a definition that lists its registered kinds."""
    definitions: dict[str, Any] = {}
    families = {family.__name__: family for family in Family.__subclasses__()}

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(part) for part in node]
        if not isinstance(node, dict):
            return node
        definitions.update(
            {name: resolve(schema) for name, schema in node.pop("$defs", {}).items()}
        )
        name = node.get("x-family")
        if name is None:
            return {key: resolve(part) for key, part in node.items()}
        if name not in definitions:
            definitions[name] = {}
            kinds = families[name].kinds.values()
            definitions[name] = {"anyOf": [_with_kind(resolve(_schema(kind))) for kind in kinds]}
        return {"$ref": f"#/$defs/{name}"}

    whole: dict[str, Any] = resolve(_schema(root))
    return whole | {"$defs": dict(sorted(definitions.items()))}


def _with_kind(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a kind: which kind it is has to be said, though a kind made in Python knows it."""
    return schema | {"required": sorted({*schema.get("required", ()), "kind"})}


def _schema(value: type[Value]) -> dict[str, Any]:
    with warnings.catch_warnings():
        # A default that is a value of a family is not spelled out in the schema.
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        return value.model_json_schema()


def counted(n: int, noun: str) -> str:
    """So many of something, in words: "1 step", "2 steps"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
