"""The reference kiosk of tests/link serves here too, and the boards of tests/services."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "link"))
sys.path.insert(0, str(Path(__file__).parents[1] / "services"))
