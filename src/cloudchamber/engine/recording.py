"""What is written of a block: decisions, exposures, the world's tallies, and the account of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber.engine.exposing import Exposing
from cloudchamber.microspec.microspec import Microspec
from cloudchamber.microspec.turns import Batch
from cloudchamber.microspec.world import State
from cloudchamber.questions import Answers, Ints, Questions, Reals
from cloudchamber.trace.levels import Level
from cloudchamber.trace.tables import SIGNAL, Channel, Kind, Sink, Status

__all__ = ["Account", "Recording"]


@dataclass(frozen=True, slots=True)
class Account:
    """What each run of a pool came to: columns, an entry for each run."""

    questions: Ints
    status: Ints
    """(runs, statuses): answers of each status."""
    tokens: Ints
    score: Reals
    """(runs, agents): what each agent has scored at the end."""


class Recording:
    """Writes a pool's rows to a sink, as far as the level keeps them."""

    def __init__(
        self,
        spec: Microspec,
        ids: Ints,
        replicates: Ints,
        sink: Sink,
        level: Level,
        exposing: Exposing,
    ) -> None:
        """Args: what is grown, the runs' numbers, where to write, how much, and what was shown."""
        self.spec, self.ids, self.sink, self.exposing = spec, ids, sink, exposing
        runs, agents = len(ids), spec.population.count
        self.everything = level.name == "full"
        self.keep = level.keep(replicates[:, None], np.arange(agents))
        self.account = Account(
            np.zeros(runs, np.int64),
            np.zeros((runs, len(Status)), np.int64),
            np.zeros(runs, np.int64),
            np.zeros((runs, agents)),
        )

    def outcomes(self, step: int, state: State) -> None:
        """The world's tally of each item, and its facts, after `step` steps."""
        runs, items = state.tally.shape
        self.sink.append(
            "outcomes",
            {
                "run": np.repeat(self.ids, items),
                "step": step,
                "item": np.tile(np.arange(items), runs),
                "value": state.tally.reshape(-1),
            },
        )
        for name in self.spec.world.facts:
            told = {"run": self.ids, "step": step, "measure": name, "value": state.more[name]}
            self.sink.append("series", told)

    def decisions(
        self,
        questions: Questions,
        answers: Answers,
        acted: NDArray[np.bool_] | None,
        batch: int,
        foreign: NDArray[np.bool_] | None = None,
    ) -> None:
        """A block's decisions and the exposures they rest on.

        `foreign` (n, k) are options shown otherwise than the run itself would show them.
        """
        self._count(questions, answers)
        if self.everything:
            kept = np.arange(len(questions))
        else:
            kept = np.flatnonzero(self.keep[questions.run, questions.agent])
        if not len(kept):
            return
        probability = answers.probabilities(questions, kept)
        self._decisions(questions, answers, acted, batch, kept, probability)
        strange = None if foreign is None else foreign[kept]
        self._options(questions, answers, kept, probability, strange)
        self._heard(questions, kept)

    def _count(self, questions: Questions, answers: Answers) -> None:
        runs, kinds = self.account.status.shape
        if runs > len(questions):
            # A block is small beside a pool of many runs: what is not in it is not touched.
            np.add.at(self.account.status, (questions.run, answers.statuses()), 1)
            np.add.at(self.account.questions, questions.run, 1)
        else:
            cell = questions.run * kinds + answers.statuses()
            status = np.bincount(cell, minlength=runs * kinds).reshape(runs, kinds)
            np.add(self.account.status, status, out=self.account.status)
            np.add(self.account.questions, status.sum(axis=1), out=self.account.questions)
        if answers.tokens is not None:
            np.add.at(self.account.tokens, questions.run, answers.tokens)

    def _decisions(
        self,
        questions: Questions,
        answers: Answers,
        acted: NDArray[np.bool_] | None,
        batch: int,
        kept: Ints,
        probability: Reals,
    ) -> None:
        picks = answers.picks[kept]
        valid = picks >= 0
        valid[:, 0] = True  # a decision without a pick has a row too
        row, rank = np.nonzero(valid)
        pick = picks[row, rank]
        source = kept[row]
        chosen = pick >= 0
        columns: dict[str, NDArray[np.generic] | int | float] = {
            "run": self.ids[questions.run[source]],
            "decision": questions.decision[source],
            "pick": rank + 1,
            "step": questions.address.step,
            "batch": batch,
            "agent": questions.agent[source],
            "group": questions.group[source],
            "kind": int(questions.kind),
            "choice": np.where(chosen, questions.items[source, pick], -1),
            "probability": np.where(chosen, probability[row, pick], np.nan),
            "entropy": _entropy(questions, answers, kept, probability)[row],
            "status": answers.statuses()[source],
            "readout": answers.readout[source]
            if isinstance(answers.readout, np.ndarray)
            else int(answers.readout),
        }
        if acted is not None:
            columns["value"] = acted[source].astype(np.float64)
        if answers.amounts is not None:
            columns["value"] = np.where(chosen, answers.amounts[source, pick], np.nan)
        if answers.chances is not None:
            columns["probability"] = np.where(chosen, answers.chances[source, pick], np.nan)
        if answers.mass is not None:
            columns["mass"] = answers.mass[source]
        if answers.prompts is not None:
            columns["prompt"] = np.array(
                [
                    self.sink.text("prompt", answers.prompts[at]) if answers.prompts[at] else 0
                    for at in source
                ],
                np.int64,
            )
        if answers.notes is not None:
            columns["note"] = np.array(
                [
                    self.sink.text("note", answers.notes[at]) if answers.notes[at] else 0
                    for at in source
                ],
                np.int64,
            )
        if answers.texts is not None and questions.writing is not None:
            kind = questions.writing.kind
            columns["text"] = self._ids([kind] * len(source), [answers.texts[at] for at in source])
        if answers.completions is not None:
            for at in source:
                if answers.completions[at]:
                    self.sink.text("completion", answers.completions[at])
        self.sink.append("decisions", columns)

    def _ids(self, kinds: Sequence[str], texts: Sequence[str]) -> NDArray[np.int64]:
        """The keys of texts that agents wrote; 0 where there is none."""
        told = zip(kinds, texts, strict=True)
        return np.array(
            [self.sink.text(kind, text) if text else 0 for kind, text in told], np.int64
        )

    def _options(
        self,
        questions: Questions,
        answers: Answers,
        kept: Ints,
        probability: Reals,
        foreign: NDArray[np.bool_] | None,
    ) -> None:
        items = questions.items[kept]
        n, k = items.shape
        chosen = np.zeros((n, k), np.int8)
        row, rank = np.nonzero(answers.picks[kept] >= 0)
        chosen[row, answers.picks[kept][row, rank]] = rank + 1
        columns: dict[str, NDArray[np.generic] | int | float] = {
            "run": np.repeat(self.ids[questions.run[kept]], k),
            "decision": np.repeat(questions.decision[kept], k),
            "channel": int(Channel.option),
            "position": np.tile(np.arange(1, k + 1, dtype=np.int16), n),
            "item": items.reshape(-1),
            "probability": probability.reshape(-1),
            "chosen": chosen.reshape(-1),
        }
        if questions.labels is not None:
            columns["label"] = questions.labels[kept].reshape(-1)
        for name, shown in questions.signals.items():
            columns[SIGNAL + name] = shown[kept].reshape(-1)
        nominees = questions.kind is Kind.next
        if not nominees:
            block = Batch(questions.run[kept], questions.agent[kept], kept)
            origin, latency = self.exposing.origins(block, items, questions.address.step)
            if foreign is not None:
                origin, latency = np.where(foreign, -1, origin), np.where(foreign, 0, latency)
            columns["origin"], columns["latency"] = origin.reshape(-1), latency.reshape(-1)
        if nominees or questions.gaps:  # the fill of short rows was not shown
            there = (items >= 0).reshape(-1)
            columns = {
                name: part[there] if isinstance(part, np.ndarray) else part
                for name, part in columns.items()
            }
        if nominees:  # agents that may be named next are sources, not items
            columns |= {"source": columns["item"], "item": -1}
        self.sink.append("exposures", columns)

    def _heard(self, questions: Questions, kept: Ints) -> None:
        if not questions.heard.offsets[-1]:
            return
        heard = questions.heard.take(kept)
        row = kept[heard.row()]
        columns: dict[str, NDArray[np.generic] | int | float] = {
            "run": self.ids[questions.run[row]],
            "decision": questions.decision[row],
            "channel": heard.channel,
            "position": np.arange(len(row)) - heard.offsets[heard.row()] + 1,
            "item": heard.item,
            "source": heard.source,
            "origin": heard.origin,
            "latency": heard.latency,
        }
        if heard.text is not None and heard.name is not None:
            own = heard.channel == Channel.note
            kinds = [
                f"own {name}" if mine else name for name, mine in zip(heard.name, own, strict=True)
            ]
            columns["text"] = self._ids(kinds, heard.text.tolist())
        for name, told in {"value": heard.value, **heard.results}.items():
            if not np.isnan(told).all():
                columns[SIGNAL + name] = told
        self.sink.append("exposures", columns)


def _entropy(questions: Questions, answers: Answers, kept: Ints, probability: Reals) -> Reals:
    """Entropy of each answer's distribution in nats; for judgements, of yes and no, summed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # Most options of a long list are often out of the question: their logarithms are not needed.
        possible = probability > 0
        terms = np.zeros(probability.shape)
        terms[possible] = -np.log(probability[possible])
        terms *= probability
        total: Reals = terms.sum(axis=1)
        rest = 1.0 - probability
        if questions.choose.how == "any" or questions.kind is Kind.judge:
            total = total + np.where(rest > 0, -rest * np.log(rest), 0.0).sum(axis=1)
        elif answers.decline is not None:
            none = 1.0 - probability.sum(axis=1)
            total = total + np.where(none > 0, -none * np.log(none), 0.0)
    return np.where(np.isnan(probability).any(axis=1), np.nan, total)
