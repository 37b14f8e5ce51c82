"""Visibility: which outputs, and which fields of them, reach whom, in what order, how late.

An `Order` ranks what a reader is shown; a `Display` says how a field of it appears. Both see arrays, a row
for each reader, and the rows' addresses for their draws; they know of no world.
"""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from cloudchamber import randomness
from cloudchamber.microspec.value import Family, FrozenDict, Real, Value, Whole, counted
from cloudchamber.questions import Address, Ints, Reals

__all__ = [
    "Binary",
    "Bucketed",
    "Chronological",
    "Dealt",
    "Display",
    "Engineered",
    "Exact",
    "Fixed",
    "Hidden",
    "Noisy",
    "Order",
    "Popularity",
    "Seeded",
    "Shuffled",
    "Visibility",
]


class Display(Family):
    """How a field appears to the reader."""

    @property
    def reveals(self) -> bool:
        """Whether what is shown depends on what agents did."""
        return True

    @property
    def about_item(self) -> bool:
        """Whether what is shown of an item rests on what was done to that item."""
        return self.reveals

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """What is seen of `values` (rows, k) of `items` (rows, k); NaN is not seen."""
        raise NotImplementedError


class Hidden(Display):
    """The field is not shown."""

    kind: Literal["hidden"] = "hidden"

    @property
    def reveals(self) -> bool:
        """Whether what is shown depends on what agents did."""
        return False

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """Nothing."""
        return np.broadcast_to(np.nan, values.shape)

    def aloud(self) -> str:
        """The display in words."""
        return "hidden"


class Exact(Display):
    """The field is shown as it is."""

    kind: Literal["exact"] = "exact"

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """The values themselves."""
        return values

    def aloud(self) -> str:
        """The display in words."""
        return "shown exactly"


class Binary(Display):
    """Only whether there is any: 1 from `threshold` on, else 0."""

    kind: Literal["binary"] = "binary"
    threshold: Annotated[Real, Field(gt=0)] = 1.0

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """1 or 0."""
        return (values >= self.threshold).astype(np.float64)

    def aloud(self) -> str:
        """The display in words."""
        return f"shown as yes from {self.threshold:g} on, else no"


class Bucketed(Display):
    """Rounded down to the lower edge of a bucket."""

    kind: Literal["bucketed"] = "bucketed"
    edges: Annotated[tuple[Real, ...], Field(min_length=1)] = (1.0, 10.0, 100.0, 1000.0)
    """Rising lower edges; below the first, 0 is shown."""

    @model_validator(mode="after")
    def _rising(self) -> "Bucketed":
        if any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges must rise; given {list(self.edges)}")
        return self

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """The edge below."""
        steps = np.concatenate([[0.0], self.edges])
        return steps[np.searchsorted(steps[1:], values, side="right")]

    def aloud(self) -> str:
        """The display in words."""
        return f"rounded down to {', '.join(f'{edge:g}' for edge in self.edges)}"


class Noisy(Display):
    """Blurred by a factor exp(sd * z), z standard normal, drawn anew for each reader, and rounded."""

    kind: Literal["noisy"] = "noisy"
    sd: Annotated[Real, Field(ge=0)] = 0.5

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """The blurred values."""
        z = randomness.normals(address.keys(f"noise/{field}"), items)
        return np.rint(values * np.exp(self.sd * z))

    def aloud(self) -> str:
        """The display in words."""
        return f"blurred by a random factor (log standard deviation {self.sd:g})"


class Dealt(Display):
    """The values that are there, dealt anew to the items at random for each reader.

    As many likes are seen as there are, but they say nothing of the items: a null of shuffled exposures.
    """

    kind: Literal["dealt"] = "dealt"

    @property
    def about_item(self) -> bool:
        """They come from other items."""
        return False

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """The values in an order drawn at random."""
        drawn = randomness.uniforms(address.keys(f"dealt/{field}"), items)
        return np.asarray(np.take_along_axis(values, drawn.argsort(axis=1), axis=1))

    def aloud(self) -> str:
        """The display in words."""
        return "shown on items that they do not belong to, dealt at random for each reader"


class Seeded(Display):
    """Levels set beforehand and dealt to the items at random: the field carries no information."""

    kind: Literal["seeded"] = "seeded"
    levels: Annotated[tuple[Real, ...], Field(min_length=1)] = (0.0, 1.0, 10.0, 100.0, 1000.0)
    each: Literal["reader", "run"] = "reader"
    """Dealt anew for each reader's every decision, or once for a whole run."""

    @property
    def reveals(self) -> bool:
        """Whether what is shown depends on what agents did."""
        return False

    def show(self, values: Reals, items: Ints, address: Address, field: str) -> Reals:
        """A level for each item, each level equally likely."""
        stream = f"seeded/{field}"
        keys = address.keys(stream) if self.each == "reader" else address.run_keys(stream)
        level = (randomness.uniforms(keys, items) * len(self.levels)).astype(np.int64)
        return np.asarray(self.levels)[level]

    def aloud(self) -> str:
        """The display in words."""
        levels = ", ".join(f"{level:g}" for level in self.levels)
        return f"set beforehand at {levels}, dealt to the items at random for each {self.each}"


class Order(Family):
    """In what order a reader is shown what it is shown."""

    @property
    def personal(self) -> bool:
        """Whether two readers of the same run at the same moment may see different orders."""
        return False

    @property
    def reveals(self) -> bool:
        """Whether the order depends on what agents did."""
        return False

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """Items in the order shown, (rows, n).

        Args:
            popularity: (rows, n), what the world counts, as far as it reaches the reader.
            created: (n,), when each item appeared.
            address: the rows' addresses.
        """
        raise NotImplementedError


class Shuffled(Order):
    """At random: anew for each reader's every decision, or once for a whole run."""

    kind: Literal["shuffled"] = "shuffled"
    each: Literal["reader", "run"] = "reader"

    @property
    def personal(self) -> bool:
        """Whether readers differ."""
        return self.each == "reader"

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """A uniformly random order."""
        keys = address.keys("order") if self.each == "reader" else address.run_keys("order")
        return shuffle(keys, popularity.shape[1])

    def aloud(self) -> str:
        """The order in words."""
        return "shuffled for each reader" if self.personal else "shuffled once for the whole run"


class Fixed(Order):
    """The world's own order, the same for everyone; or a given one."""

    kind: Literal["fixed"] = "fixed"
    items: tuple[Annotated[Whole, Field(ge=0)], ...] = ()
    """The items from first to last; empty for the world's own order."""

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """The same row for all."""
        rows, n = popularity.shape
        return np.broadcast_to(_completed(self.items, n), (rows, n))

    def aloud(self) -> str:
        """The order in words."""
        return "in one fixed order"


class Popularity(Order):
    """Most popular first; ties in an order drawn once for the run."""

    kind: Literal["popularity"] = "popularity"

    @property
    def reveals(self) -> bool:
        """Whether the order depends on what agents did."""
        return True

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """By falling popularity."""
        ties = shuffle(address.run_keys("ties"), popularity.shape[1])
        settled = np.take_along_axis(popularity, ties, axis=1)
        order = np.argsort(-settled, axis=1, kind="stable")
        return np.take_along_axis(ties, order, axis=1)

    def aloud(self) -> str:
        """The order in words."""
        return "the most popular first"


class Chronological(Order):
    """Newest first."""

    kind: Literal["chronological"] = "chronological"

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """By falling time of creation; of equally old ones the later in the world's list first."""
        newest = np.lexsort((-np.arange(len(created)), -created))
        return np.broadcast_to(newest, popularity.shape)

    def aloud(self) -> str:
        """The order in words."""
        return "the newest first"


class Engineered(Order):
    """Chosen items pinned to the first places, the rest in another order: an attack, or an editor."""

    kind: Literal["engineered"] = "engineered"
    pinned: Annotated[tuple[Annotated[Whole, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    rest: Order = Shuffled()

    @property
    def personal(self) -> bool:
        """Whether readers differ."""
        return self.rest.personal

    @property
    def reveals(self) -> bool:
        """Whether the order depends on what agents did."""
        return self.rest.reveals

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        """Pinned items first, in the order given."""
        rest = self.rest.rank(popularity, created, address)
        place = np.full(popularity.shape[1], len(self.pinned))
        place[list(self.pinned)] = np.arange(len(self.pinned))
        return np.take_along_axis(rest, np.argsort(place[rest], axis=1, kind="stable"), axis=1)

    def aloud(self) -> str:
        """The order in words."""
        what = f"item{'s' if len(self.pinned) > 1 else ''} {', '.join(map(str, self.pinned))}"
        return f"{what} pinned to the top, the rest {self.rest.aloud()}"


class Visibility(Value):
    """What of the others' output reaches whom, in what order, how late."""

    fields: Annotated[dict[str, Display], AfterValidator(FrozenDict)] = FrozenDict()
    """How each field of what is shown appears; one that is not named is shown exactly."""
    whose: Literal["all", "neighbours"] = "all"
    """Whose acts count: everyone's, or those of agents that can address the reader."""
    order: Order = Shuffled()
    """In what order."""
    top: Annotated[Whole, Field(ge=1)] | None = None
    """How many items are shown, from the first; all if not given."""
    latency: Annotated[Whole, Field(ge=0)] = 0
    """After how many steps an act becomes visible; 0 is at once."""

    def display(self, field: str) -> Display:
        """How a field appears."""
        return self.fields.get(field, _EXACT)

    def aloud(self) -> str:
        """The regime as a sentence."""
        shown = "everything" if self.top is None else f"the first {self.top} items"
        named = (f"; {name} {how.aloud()}" for name, how in sorted(self.fields.items()))
        fields = "".join(named) or "; what acts leave on items is shown exactly"
        late = "at once" if self.latency == 0 else f"{counted(self.latency, 'step')} late"
        whose = "everyone's acts" if self.whose == "all" else "their neighbours' acts"
        return (
            f"agents see {shown}, {self.order.aloud()}{fields}; what is shown is of {whose}, {late}"
        )


_EXACT = Exact()


def shuffle(keys: NDArray[np.uint64], n: int) -> Ints:
    """A uniformly random order of 0..n-1 for each key.

    Each item draws 64 bits; the low ones are replaced by the item's number, so that sorting the bits
    sorts the items (ties in the high bits, of probability below n^2 / 2^(64 - log2 n), aside).
    """
    width = np.uint64(max(n - 1, 1).bit_length())
    low = np.uint64((1 << int(width)) - 1)
    drawn = randomness.bits(keys, n)
    drawn &= ~low
    drawn |= np.arange(n, dtype=np.uint64)
    if n == 2:  # quicker than sorting many short rows
        first = (drawn[..., 0] > drawn[..., 1]).astype(np.int64)
        return np.stack((first, 1 - first), axis=-1)
    drawn.sort(axis=-1)
    drawn &= low
    return drawn.view(np.int64)


def _completed(items: tuple[int, ...], n: int) -> Ints:
    return np.asarray(items, np.int64) if items else np.arange(n)
