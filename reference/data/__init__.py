"""Datasets: embedded, found on disk, or downloaded and verified."""

from .catalogue import CATALOGUE, DATASETS, found, load
from .dataset import DataError, Dataset, DataUnavailable, holdout, split

__all__ = ["CATALOGUE", "DATASETS", "DataError", "DataUnavailable", "Dataset", "found", "holdout", "load", "split"]
