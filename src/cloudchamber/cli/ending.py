"""How a command ends: what went wrong is one sentence and a number."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from cloudchamber.cli.telling import say
from cloudchamber.errors import CloudchamberError, Unfinished

__all__ = ["plainly"]

P = ParamSpec("P")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Let errors end in one message: ours exit with 2, caps with 3, interrupts with 130, faults with 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Unfinished as end:
            say(
                f"cloudchamber: unfinished: {end}. What was answered is kept; the same command with a "
                "higher cap goes on.",
                err=True,
            )
            sys.exit(3)
        except CloudchamberError as error:
            say(f"cloudchamber: {_sentence(error)}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo(
                "\ncloudchamber: stopped. What was answered is kept; the same command goes on.",
                err=True,
            )
            sys.exit(130)
        except BrokenPipeError:  # whoever reads has read enough; click ends quietly
            raise
        except Exception as error:  # a study of the user's own may do anything
            if os.environ.get("CLOUDCHAMBER_DEBUG"):
                raise
            say(f"cloudchamber: {_fault(error)}", err=True)
            sys.exit(1)

    return run


def _sentence(error: CloudchamberError) -> str:
    """The message on one line; several fields that are wrong stand side by side."""
    head, *rest = str(error).splitlines() or [type(error).__name__]
    return f"{head} {'; '.join(rest)}".strip()


def _fault(error: Exception) -> str:
    """Where something went wrong that should not have, in one sentence."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}). No trace was "
        "harmed; set CLOUDCHAMBER_DEBUG=1 to see the whole way there."
    )
