"""Studies grown with agents whose behaviour is known, and what their reports say."""

from pathlib import Path
from typing import Any

import pandas as pd

from cloudchamber.cli.finding import load
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import fake
from cloudchamber.report import account
from cloudchamber.report.document import Check, Document
from cloudchamber.study import Study

__all__ = ["Told", "at_random", "check", "drawn", "quick", "reported"]

Told = tuple[str, Document]
"""A report's answer, and all of it."""


def reported(study: Study, folder: Path, **more: Any) -> Told:
    """Run a study; `more` goes to its `run`."""
    document, _ = account.build(study, study.run(folder, **more))
    return " ".join(document.answer), document


def quick(name: str, decider: Decider | None, folder: Path, **more: Any) -> Told:
    """Run the quick version of a study with a rule."""
    return reported(load(name, quick=True, decides=decider), folder, **more)


def at_random(study: Study, folder: Path, **more: Any) -> Told:
    """Run a study of a language model with one that takes every answer for as likely as any other."""
    return reported(study, folder, models={"embedded": fake("uniform")}, **more)


def check(document: Document, about: str) -> Check:
    """The check whose question holds some words."""
    blocks = document.sections[-1].blocks
    (found,) = (one for one in blocks if isinstance(one, Check) and about in one.question)
    return found


def drawn(document: Document, id: str) -> pd.DataFrame:
    """The rows that a figure is drawn from."""
    (figure,) = (one for one in document.figures if one.id == id)
    return figure.data
