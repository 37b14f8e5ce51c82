"""Through which channels a study's effect passes, and who moved whom: grown from what its folder says.

The effect is that of the influence: a cell less its own null. Whoever decides there decides again, in worlds
that cross the two. Where that is a language model, it is asked itself, through the store and under caps; or a
rule that was fitted to it decides in its place, under several draws of the fit's parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from cloudchamber.agents.society import models_of
from cloudchamber.counterfactual import PastRuns, channels_of, influence, taken_apart, worlds_of
from cloudchamber.counterfactual.channels import check_channels
from cloudchamber.errors import SpecificationError, TraceError, nearest
from cloudchamber.experiment import Cell, Results
from cloudchamber.experiment.asking import asking
from cloudchamber.experiment.calling import Means
from cloudchamber.experiment.estimate import estimate
from cloudchamber.experiment.expected import CostEstimate
from cloudchamber.experiment.in_memory import Answering
from cloudchamber.experiment.manifest import Manifest, placed
from cloudchamber.experiment.prices import Prices
from cloudchamber.experiment.progress import Progress, questions_of, shown_in
from cloudchamber.experiment.unit import Unit
from cloudchamber.mechanism import Fit, fit
from cloudchamber.mechanism.growing import Deciding, Many, decided_by, put
from cloudchamber.microspec import Microspec
from cloudchamber.study.parts import parts_of
from cloudchamber.study.passages import Passages
from cloudchamber.study.study import Study

__all__ = ["DECIDED_BY", "DRAWS", "DecidedBy", "Passing", "channels", "passing"]

DecidedBy = Literal["rule", "agents"]
DECIDED_BY: tuple[DecidedBy, ...] = ("rule", "agents")
DRAWS = 20
"""Of a fit's parameters, beside the fit itself."""
LOOKED_AT = 3_000_000
"""Decisions of rules that are gone through to find who moved whom, at most: of long runs that is some."""
Watch = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Passing:
    """What is to be grown to see what passes through which channel, and by whom it is decided."""

    study: Study
    results: Results
    cell: Cell
    """The world with."""
    null: Cell
    """The world without."""
    channels: tuple[str, ...]
    replicates: tuple[int, ...]
    by: str
    """The mechanism that decides in the agents' place; empty where they do themselves."""
    models: tuple[str, ...]
    """The language models that decide in the folder."""
    moved: bool
    """Whether it is asked, too, who moved whom."""
    draws: int = DRAWS
    """Of the parameters of what decides in the agents' place."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The language models that will be asked."""
        return () if self.by else self.models

    @property
    def worlds(self) -> tuple[int, int]:
        """How many are grown: as the world with, and as the world without."""
        return worlds_of(len(self.channels), len(list(combinations(self.channels, 2))))

    @property
    def decisions(self) -> int:
        """In all worlds; at most, or on average where turns are asynchronous."""
        as_with, as_without = self.worlds
        each = questions_of(self.cell) * as_with + questions_of(self.null) * as_without
        return each * len(self.replicates)

    @property
    def known(self) -> int:
        """Of them, those of the world with and the world without, which the folder's runs were asked."""
        each = questions_of(self.cell) + questions_of(self.null)
        return each * len(self.replicates)

    @property
    def moving(self) -> int:
        """Questions that come on top for who moved whom: at most, each act for each other decision."""
        each = questions_of(self.cell)
        return each * (each - 1) // 2 * len(self.replicates)

    def __str__(self) -> str:
        worlds, runs = sum(self.worlds), len(self.replicates)
        whole = f"{worlds} worlds of {runs} runs: {self.decisions:,} decisions"
        if not self.models:
            return f"{whole} of rules, which cost nothing but time."
        names, new = ", ".join(self.models), self.decisions - self.known
        asking = (
            f"at most {new:,} new questions, as {self.known:,} decisions are those of the folder; what the "
            "store answers is free"
        )
        if self.by:
            return (
                f"The rule {self.by!r}, fitted to what {names} chose, decides in its place, which costs "
                f"nothing. To ask {names} itself: --decided-by agents (decided_by='agents'), {asking}."
            )
        more = f" Who moved whom: at most {self.moving:,} more." if self.moved else ""
        return f"{names} decides itself. {whole}; {asking}.{more}"

    def estimate(self, *, prices: Prices | None = None, rate: float | None = None) -> CostEstimate:
        """What the new questions of the crossed worlds come to; who moved whom is not in it.

        What the store holds of them already is not looked up.

        Args:
            prices: as of `Study.estimate`.
            rate: as of `Study.estimate`.
        """
        units = []
        for cell, worlds in zip((self.cell, self.null), self.worlds, strict=True):
            runs = (worlds - 1) * len(self.replicates)
            units += [Unit(cell, tuple(range(runs)))] if runs and self.asked else []
        trace = self.results.folder
        return estimate(
            units,
            seed=self.results.seed,
            conditions=len(units),
            runs=sum(len(one.replicates) for one in units),
            prices=prices,
            rate=rate,
            trace=trace,
            servers=Manifest.read(trace.parent).servers,
        )

    def grow(self, means: Means | None = None, watch: Watch | None = None) -> Passages:
        """Grow the worlds, and say what passes through each channel.

        Args:
            means: how language models are asked, and how far it may go.
            watch: told what is being done.

        Raises:
            Unfinished: a cap is reached; what was answered is kept, and the same call goes on.
            SpecificationError: nothing can be fitted.
            RunFailed: in every replicate.
        """
        say = watch or (lambda text: None)
        specs = self.cell.spec, self.null.spec
        deciding: tuple[Deciding, ...] = ()
        if self.by:
            fits = _fitted(self.study, self.results, self.cell.name, self.by, say)
            draws = self.draws if all(one.runs > 1 for one in fits.values()) else 0
            deciding = decided_by(self.cell.spec, fits, draws, seed=self.results.seed)
            specs = put(specs[0], deciding[0]), put(specs[1], deciding[0])
        say(f"crossing worlds for {', '.join(self.channels)}")
        progress = self._progress()
        with self._deciding(deciding, means or Means(), progress) as answers:

            def grown(world: str, runs: int) -> None:
                progress.done += runs
                progress.cell = world

            found, crossings = taken_apart(
                *specs,
                self.channels,
                crossed=list(combinations(self.channels, 2)),
                measure=self.study.phenomenon.measure,
                replicates=self.replicates,
                seed=self.results.seed,
                models=answers,
                draws=max(len(deciding) - 1, 0),
                watch=grown,
            )
            graph = None
            if self.moved:
                some = self._looked_at()
                say(f"asking who moved whom, in {len(some)} run{'' if len(some) == 1 else 's'}")
                whoever = answers if self.asked else None
                graph = influence(PastRuns(specs[0], some, seed=self.results.seed, models=whoever))
        names = self.cell.name, self.null.name
        return Passages(*names, self.by, found, crossings, graph, self.asked)

    def _deciding(
        self, deciding: Sequence[Deciding], means: Means, progress: Progress
    ) -> AbstractContextManager[Answering | None]:
        """Whoever decides: the draws of a fit, the models, or None where rules do."""
        if self.asked:
            return asking(self.results.folder.parent, self.asked, means, progress)
        if len(deciding) < 2:
            return nullcontext()

        def answers(spec: Microspec) -> Any:
            return Many(
                [put(spec, one) for one in deciding], lambda run: run % len(deciding)
            ).answer

        return nullcontext(answers)

    def _progress(self) -> Progress:
        """What is told of the questions to models."""
        runs = sum(self.worlds) * len(self.replicates)
        more = self.moving if self.moved else 0
        told = Progress(runs, 0, expected=self.decisions + more)
        each = shown_in(self.cell) / max(questions_of(self.cell), 1)
        told.to_show = round(told.expected * each)
        return told

    def _looked_at(self) -> tuple[int, ...]:
        """The replicates in which it is asked who moved whom."""
        if self.asked:
            return self.replicates
        return self.replicates[: max(1, LOOKED_AT // max(questions_of(self.cell) ** 2, 1))]


def channels(
    study: Study,
    out: str | Path,
    *,
    cell: str = "",
    through: Sequence[str] = (),
    decided_by: DecidedBy | None = None,
    by: str = "",
    runs: int | None = None,
    moved: bool | None = None,
    draws: int = DRAWS,
    means: Means | None = None,
    watch: Watch | None = None,
) -> Passages:
    """How much of a study's effect passes through each channel, and who moved whom.

    Args:
        study: whose runs are in the folder; it has a null.
        out: the folder that `study.run` wrote. The same replicates are grown, under the same noise.
        cell: the world with; the cell at risk, if not given. The world without is its null.
        through: channels; all that there are, if none is given. Each pair of them is crossed, too.
        decided_by: "agents": whoever decided in the folder, language models included, which are asked
            again as `run` asks them; "rule": a mechanism fitted to the folder's choices, in their place. If
            not given, agents where rules decided, and a fitted rule where a language model did, as that
            costs nothing.
        by: the name of that mechanism, one of the study's; the first, the hypothesis' own, if not given.
        runs: how many replicates; all that are complete, if not given.
        moved: whether it is asked, too, who moved whom; if not given, where no language model is asked.
        draws: of the parameters of the fit, whose uncertainty is so in the intervals of the effects; 0
            for the fit alone.
        means: how a language model is asked, and how far it may go: store, caps, time-out.
        watch: told what is being done.

    Raises:
        SpecificationError: no null, cell, channel or mechanism of that name.
        TraceError: no run of the cell is complete.
        Unfinished: a cap is reached; what was answered is kept, and the same call goes on.
    """
    asked = passing(
        study,
        out,
        cell=cell,
        through=through,
        decided_by=decided_by,
        by=by,
        runs=runs,
        moved=moved,
        draws=draws,
    )
    return asked.grow(means, watch)


def passing(
    study: Study,
    out: str | Path,
    *,
    cell: str = "",
    through: Sequence[str] = (),
    decided_by: DecidedBy | None = None,
    by: str = "",
    runs: int | None = None,
    moved: bool | None = None,
    draws: int = DRAWS,
) -> Passing:
    """What `channels` would grow, with the same arguments: how many decisions, and of whom.

    Raises:
        SpecificationError: as `channels`.
    """
    results = study.results(placed(out))
    world = results.require(cell or study.at_risk())
    null = study.null_of(world)
    if null is None or null.id == world.id:
        raise SpecificationError(
            f"cell: {world.name!r} has no null but itself, so there is no effect to trace; give the study a "
            "null, e.g. null=isolate(), and a cell in which agents heed one another."
        )
    models = tuple(sorted({name for one in (world, null) for name in models_of(one.spec)}))
    rule = _rule(study, models, decided_by, by)
    replicates = _replicates(results, world)
    if not replicates:
        raise TraceError(f"{out}: no run of {world.name!r} is complete; grow it first, with run.")
    return Passing(
        study,
        results,
        world,
        null,
        _through(world.spec, null.spec, through),
        tuple(replicates[:runs]),
        rule,
        models,
        (bool(rule) or not models) if moved is None else moved,
        draws,
    )


def _rule(study: Study, models: Sequence[str], decides: DecidedBy | None, by: str) -> str:
    """The mechanism that decides; empty where the agents do."""
    if decides not in (None, *DECIDED_BY):
        raise SpecificationError(f"decided_by: {decides!r}; {nearest(str(decides), DECIDED_BY)}")
    if decides == "agents" and by:
        raise SpecificationError(
            f"decided_by: 'agents' and by: {by!r} were given; the agents decide, or a mechanism: give one."
        )
    if by and by not in study.mechanisms:
        raise SpecificationError(f"by: no mechanism {by!r}; {nearest(by, study.mechanisms)}")
    if by or decides == "agents" or (decides is None and not models):
        return by
    if not study.mechanisms:
        raise SpecificationError(
            f"decided_by: the study {study.name!r} names no mechanism that could decide in the agents' "
            "place; give it one (mechanisms=...), or let the agents decide: --decided-by agents."
        )
    return next(iter(study.mechanisms))


def _fitted(study: Study, results: Results, cell: str, by: str, say: Watch) -> Mapping[str, Fit]:
    """A mechanism's fits, by group."""
    parts, left = parts_of(study, results)
    part = next((one for one in parts if cell in one.cells), None)
    if part is None:
        raise SpecificationError(
            f"by: nothing can be fitted for {cell!r}: {left.get(cell, 'no runs')}"
        )
    say(f"fitting {by!r}")
    return {group: fit(study.mechanisms[by], part.choices(results, group)) for group in part.groups}


def _through(live: Microspec, dead: Microspec, wanted: Sequence[str]) -> tuple[str, ...]:
    there = dict.fromkeys((*channels_of(live), *channels_of(dead)))
    if wanted:
        check_channels(wanted, live, dead)
        return tuple(wanted)
    if live.visibility.top is not None or dead.visibility.top is not None:
        there.pop("order", None)  # of which only the top is shown
    if not there:
        raise SpecificationError("channels: there are none in this cell; agents are shown nothing.")
    return tuple(there)


def _replicates(results: Results, cell: Cell) -> list[int]:
    runs = set(results.ids(cell))
    done = results.done.drop_duplicates("run")
    return sorted(int(one) for one in done[done["run"].isin(runs)]["replicate"])
