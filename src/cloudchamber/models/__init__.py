"""Language models behind one method: `ask`."""

from cloudchamber.models.fake import FAKES, FakeModel
from cloudchamber.models.model import STATUSES, Model, Reply, Request, abilities
from cloudchamber.models.opening import NAMES, check_name, open_model
from cloudchamber.models.store.mode import MODES, Mode, check_mode

__all__ = [
    "FAKES",
    "MODES",
    "NAMES",
    "STATUSES",
    "FakeModel",
    "Mode",
    "Model",
    "Reply",
    "Request",
    "abilities",
    "check_mode",
    "check_name",
    "open_model",
]
