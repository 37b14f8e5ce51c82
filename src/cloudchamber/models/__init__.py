"""Language models behind one method: `ask`."""

from cloudchamber.models.fake import FAKES, FakeModel
from cloudchamber.models.model import STATUSES, Model, Reply, Request
from cloudchamber.models.opening import NAMES, open_model

__all__ = ["FAKES", "NAMES", "STATUSES", "FakeModel", "Model", "Reply", "Request", "open_model"]
