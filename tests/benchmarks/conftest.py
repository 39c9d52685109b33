"""The benchmarks are a package of the checkout, which no installation has."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
