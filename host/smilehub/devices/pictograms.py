"""The pictograms visitors choose from, drawn by us; ``hubcore.labels.PICTOGRAMS`` has their order."""

from smilehub.devices.drawing import Drawing, Shape, load

PICTOGRAMS: dict[str, Drawing] = load("pictograms.txt")

__all__ = ["PICTOGRAMS", "Shape"]
