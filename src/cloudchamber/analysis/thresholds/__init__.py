"""Where along a factor, or in the plane of two, a phenomenon appears, and how it does."""

from cloudchamber.analysis.thresholds.seeking import Probe, Threshold, answered, seek, threshold

__all__ = ["Probe", "Threshold", "answered", "seek", "threshold"]
