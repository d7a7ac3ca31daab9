"""Datasets: embedded, found on disk, or downloaded and verified."""

from .catalogue import CATALOGUE, DATASETS, load
from .dataset import DataError, Dataset, DataUnavailable, holdout, split

__all__ = ["CATALOGUE", "DATASETS", "DataError", "DataUnavailable", "Dataset", "holdout", "load", "split"]
