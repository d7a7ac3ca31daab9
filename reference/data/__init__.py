"""Datasets: embedded, found on disk, or downloaded and verified."""

from .loaders import DATASETS, DataError, Dataset, DataUnavailable, load

__all__ = ["DATASETS", "DataError", "DataUnavailable", "Dataset", "load"]
