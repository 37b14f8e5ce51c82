"""The notation of the game: a trace as a transcript that a person can read, and play."""

from cloudchamber.microspec import Microspec
from cloudchamber.testing.seen import exposures_of, seen_by
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Channel

CHANNELS = {
    Channel.others: "hears",
    Channel.own: "recalls",
    Channel.score: "score",
    Channel.picked: "picked",
    Channel.met: "met",
    Channel.message: "reads",
    Channel.note: "notes of",
}


def transcript(spec: Microspec, trace: Trace) -> str:
    """What each agent saw and did, decision by decision, then the tallies."""
    lines = [spec.aloud(), ""]
    for (run, agent, step, _), one in sorted(
        seen_by(trace).items(), key=lambda pair: (pair[0][0], pair[1].decision)
    ):
        rows = sorted(exposures_of(trace, run)[one.decision])
        chances = dict(one.distribution)
        lines.append(f"step {step}, decision {one.decision}: agent {agent}")
        for channel, position, item, source, origin, latency, signals in rows:
            told = " ".join(
                f"{name}: {value}" if isinstance(value, str) else f"{name}={value:g}"
                for name, value in signals
            )
            came = f"from decision {origin}, {latency} ago" if origin >= 0 else "from the world"
            if channel == Channel.option:
                what = f"item {item}" if item >= 0 else f"agent {source}"
                chance = chances.get(item if item >= 0 else source, -1.0)
                likely = f" p={chance:.3f} " if chance >= 0 else ""  # of amounts there is none
                lines.append(f"  {position}. {what:8} {told:10}{likely} ({came})")
            elif channel == Channel.score:
                lines.append(f"  {CHANNELS[Channel.score]} {told}")
            else:
                what = f"item {item} {told}".rstrip() if item >= 0 else told
                who = f"agent {source}" if source >= 0 else "someone"
                lines.append(f"  {CHANNELS[Channel(channel)]} {who}: {what} ({came})")
        did = [str(item) for item in one.picks]
        if one.amounts:
            did = [f"{amount:g} of {item}" for item, amount in zip(did, one.amounts, strict=True)]
        lines.append(f"  -> {', '.join(did) or one.text or 'nothing'}")
    outcomes = trace.columns("outcomes")
    for step in sorted(set(outcomes["step"].tolist())):
        tally = outcomes["value"][outcomes["step"] == step]
        lines.append(f"after step {step}: {' '.join(f'{value:g}' for value in tally)}")
    return "\n".join(lines) + "\n"
