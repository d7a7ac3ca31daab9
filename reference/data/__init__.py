"""Datasets: embedded, found on disk, or downloaded and verified."""

from .dataset import DataError, Dataset, DataUnavailable, holdout, split
from .loaders import DATASETS, load

__all__ = ["DATASETS", "DataError", "DataUnavailable", "Dataset", "holdout", "load", "split"]
