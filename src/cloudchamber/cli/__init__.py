"""The command line: parse, call the study, print.

Only click is imported at once: everything else is imported by the command that needs it, so that
`cloudchamber --help` answers immediately.
"""

from cloudchamber.cli.commands import main

__all__ = ["main"]
