"""The tests, and where they find the checkout and the data that lies beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"  # data sets that need no download, where they are there
