"""The detector: which deliveries were meant for another domain, how sure that is, and why. Tables in, tables out."""

from forensics.detector.detection import Detection, detect

__all__ = ["Detection", "detect"]
