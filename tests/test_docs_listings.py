"""The Python listings of manual pages run, each page from top to bottom."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["testing.md", "sources.md", "filters.md"])
def test_listings_run(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text("utf-8")
    listings = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert listings
    code = "\n".join(listings)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
