"""The folder of the project, found from one place."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
