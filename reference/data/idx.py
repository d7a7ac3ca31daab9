"""MNIST and Fashion-MNIST: four gzipped files in the IDX format."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from .dataset import DataError, Dataset
from .sources import Source, damaged, folder_of

__all__ = ["FASHION_MNIST", "MNIST", "fashion_mnist", "mnist", "read_idx"]

MNIST = Source(
    "mnist",
    "MNIST",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)

FASHION_MNIST = Source(
    "fashion-mnist",
    "Fashion-MNIST",
    (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)

CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def mnist() -> Dataset:
    """Handwritten digits, 60,000 to train and 10,000 to test, u8[n, 28, 28] (LeCun et al., 1998)."""
    return _dataset(MNIST)


def fashion_mnist() -> Dataset:
    """Ten kinds of clothes in MNIST's format (Xiao, Rasul and Vollgraf, 2017)."""
    return _dataset(FASHION_MNIST)._replace(labels=CLOTHES)


def _dataset(source: Source) -> Dataset:
    folder = folder_of(source)
    train_images, train_labels, test_images, test_labels = (read_idx(folder / file) for file in source.files)
    for part, images, labels in (
        ("training", train_images, train_labels),
        ("test", test_images, test_labels),
    ):
        if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DataError(
                f"{folder} does not hold {source.title}: the {part} images are {images.shape} "
                f"and their labels {labels.shape}, not (n, 28, 28) and (n,)"
            )
    return Dataset(
        source.name,
        train_images,
        train_labels.astype(np.int32),
        test_images,
        test_labels.astype(np.int32),
        white=255,
    )


def read_idx(path: Path) -> np.ndarray:
    """The array in a gzipped IDX file of bytes, u8[...].

    IDX: two zero bytes, the type (8: bytes), the number of dimensions, the dimensions as big-endian
    u32, the values in row-major order. Raises DataError when the file holds anything else.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, str(error)) from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise damaged(path, f"it begins with {content[:4]!r}, which is no IDX file of bytes")
    values = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:values], dtype=">u4").tolist())
    if len(shape) != content[3] or len(content) - values != math.prod(shape):
        raise damaged(path, f"its header promises {shape}, and {len(content) - values} bytes follow")
    return np.frombuffer(content, dtype=np.uint8, offset=values).reshape(shape)
