"""What a run leaves behind: the tables of a trace, in memory and on disk."""

from cloudchamber.trace.files import TraceWriter, clean
from cloudchamber.trace.folder import TraceFolder
from cloudchamber.trace.levels import Level
from cloudchamber.trace.memory import Trace
from cloudchamber.trace.tables import (
    TABLES,
    Channel,
    Kind,
    Readable,
    Readout,
    RunStatus,
    Sink,
    Status,
)

__all__ = [
    "TABLES",
    "Channel",
    "Kind",
    "Level",
    "Readable",
    "Readout",
    "RunStatus",
    "Sink",
    "Status",
    "Trace",
    "TraceFolder",
    "TraceWriter",
    "clean",
]
