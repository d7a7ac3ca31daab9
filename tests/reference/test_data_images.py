"""Pictures: CIFAR-10 in its formats, and pictures in folders."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from reference.data import DataError, DataUnavailable, cifar, load
from reference.data.cifar import read_arrays, read_binary_batch, read_python_batch
from reference.data.folders import image_folder, read_image

PARTS = cifar.PARTS


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty data directory and an empty cache; no mirror."""
    monkeypatch.setenv("MINIJAX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINIJAX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar, "CIFAR10", cifar.CIFAR10._replace(mirrors=()))
    return tmp_path


def batch(seed, count=12):
    """A batch of CIFAR-10's shape: images u8[count, 32, 32, 3] and labels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), np.arange(count) % 10


def planes(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def binary(images, labels):
    return np.concatenate([labels[:, None].astype(np.uint8), planes(images)], axis=1).tobytes()


def python3(images, labels):
    return pickle.dumps({b"data": planes(images), b"labels": labels.tolist(), b"batch_label": b"a part"}, protocol=4)


def text2(text):
    """A `str` as Python 2 pickled it."""
    return b"U" + bytes([len(text)]) + text


def python2(images, labels):
    """The opcodes that Python 2 wrote at protocol 2: texts as bytes, arrays by numpy.core.multiarray."""
    data = planes(images)
    content = data.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text2(b"b") + b"\x87R"
        b"(K\x01M" + len(data).to_bytes(2, "little") + b"M" + data.shape[1].to_bytes(2, "little") + b"\x86"
        b"cnumpy\ndtype\n"
        + text2(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text2(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + len(content).to_bytes(4, "little") + content + b"tb"
    )
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    return b"\x80\x02}(" + text2(b"data") + array + text2(b"labels") + numbers + b"u."


FORMS = {
    "binary": (binary, "bin", ".bin"),
    "python": (python3, "py", ""),
    "python of Python 2": (python2, "py", ""),
}


def as_archive(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_form_of_cifar_holds_the_same(places, form, packed):
    write, short, suffix = FORMS[form]
    parts = [batch(seed) for seed in range(6)]
    names = [f"cifar-10-batches-{short}/{part}{suffix}" for part in PARTS]
    files = dict(zip(names, (write(*part) for part in parts), strict=True))
    folder = places / "cache" / "cifar10"
    if packed:
        as_archive(folder / f"cifar-10-{form.split()[0]}.tar.gz", files | {"cifar-10-batches/readme.html": b"hello"})
    else:
        (folder / f"cifar-10-batches-{short}").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    dataset = load("cifar10")
    assert np.array_equal(dataset.x_train, np.concatenate([images for images, _ in parts[:5]]))
    assert np.array_equal(dataset.y_train, np.concatenate([labels for _, labels in parts[:5]]))
    assert np.array_equal(dataset.x_test, parts[5][0])
    assert (dataset.shape, dataset.labels[3], dataset.y_test.dtype) == ((32, 32, 3), "cat", np.int32)
    cats_dogs = load("cifar10-cats-dogs")
    assert np.array_equal(cats_dogs.x_test, parts[5][0][[3, 5]])
    assert cats_dogs.y_test.tolist() == [0, 1]


class Command:
    """Pickled as an order to make a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_runs_nothing(tmp_path):
    order = pickle.dumps({b"data": Command(str(tmp_path / "made"))})
    with pytest.raises(DataError, match=r"asks for \w+\.mkdir, which is no part of an array"):
        read_arrays(order, tmp_path / "batch")
    with pytest.raises(DataError, match="builtins.eval"):
        read_arrays(b"cbuiltins\neval\nU\x041+1.\x85R.", tmp_path / "batch")
    assert list(tmp_path.iterdir()) == []


def test_arrays_come_through_whole(tmp_path):
    for array in (np.arange(6.0).reshape(2, 3), np.array([True]), np.zeros(0, np.int16), np.asfortranarray(np.eye(3))):
        for protocol in (3, 4):
            found = read_arrays(pickle.dumps([array, 1.5], protocol=protocol), tmp_path)
            assert np.array_equal(found[0], array)
            assert found[0].dtype == array.dtype


WHOLE = python3(*batch(0))


@pytest.mark.parametrize(
    "read, content, what",
    [
        (read_binary_batch, b"", "0 bytes are no rows"),
        (read_binary_batch, bytes(3072), "3072 bytes are no rows of 3073"),
        (read_binary_batch, b"\x0b" + bytes(3072), "labels go from 11 to 11"),
        (read_python_batch, WHOLE[: len(WHOLE) // 2], "truncated"),
        (read_python_batch, b"no pickle", "batch is damaged"),
        (read_python_batch, pickle.dumps([1]), "a list, not a dict"),
        (read_python_batch, pickle.dumps({"labels": [1]}), "no `data`"),
        (read_python_batch, python3(batch(0)[0], np.arange(3)), "do not belong together"),
        (read_python_batch, python3(batch(0)[0], np.arange(12)), "labels go from 0 to 11"),
    ],
)
def test_a_damaged_batch_is_named(tmp_path, read, content, what):
    with pytest.raises(DataError, match=what):
        read(content, tmp_path / "batch")


def test_a_damaged_archive_is_named(places):
    path = places / "data" / "cifar10" / "cifar-10-binary.tar.gz"
    as_archive(path, {"cifar-10-batches-bin/test_batch.bin": binary(*batch(0))})
    with pytest.raises(DataError, match=r"lacks data_batch_1\.bin"):
        load("cifar10")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz is damaged"):
        load("cifar10")


def test_cats_and_dogs_of_nowhere(places):
    with pytest.raises(DataUnavailable, match="CIFAR-10 is neither"):
        load("cifar10-cats-dogs")
    folder = places / "data" / "cifar10-cats-dogs"
    folder.mkdir(parents=True)
    (folder / "cats_dogs_32x32.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="npz is damaged"):
        load("cifar10-cats-dogs")
    images, labels = batch(0)
    np.savez(folder / "cats_dogs_32x32.npz", x_train=images, y_train=labels, x_test=images, y_test=labels[:3])
    with pytest.raises(DataError, match=r"labels \(3,\)"):
        load("cifar10-cats-dogs")


# pictures in folders


def picture(path, color, *, mode="RGB", size=(9, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def test_folders_are_classes(tmp_path):
    for i in range(5):
        picture(tmp_path / "red" / f"{i}.png", (255, 0, 0))
        picture(tmp_path / "blue" / "deeper" / f"{i}.bmp", (0, 0, 255), size=(40, 30))
        (tmp_path / "red" / "notes.txt").write_text("no picture")
    dataset = load(f"images:{tmp_path}")
    assert dataset.labels == ("blue", "red")
    assert (dataset.x_train.shape, dataset.x_test.shape) == ((8, 32, 32, 3), (2, 32, 32, 3))
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        expected = np.where(y[:, None] == 1, [255, 0, 0], [0, 0, 255])
        assert np.array_equal(x, np.broadcast_to(expected[:, None, None], x.shape))
    assert np.array_equal(image_folder(tmp_path).x_train, dataset.x_train)


def test_folders_with_a_split_of_their_own(tmp_path):
    for part, count in (("train", 3), ("test", 2)):
        for i in range(count):
            picture(tmp_path / part / "a" / f"{i}.png", 30 * i, mode="L")
            picture(tmp_path / part / "b" / f"{i}.png", (9, 9, 9, 0), mode="RGBA")
    dataset = image_folder(tmp_path, size=(6, 9), channels=1)
    assert dataset.x_test.shape == (4, 6, 9, 1)
    assert dataset.x_test[:, 0, 0, 0].tolist() == [0, 30, 255, 255]  # what is transparent is white
    assert dataset.y_test.tolist() == [0, 0, 1, 1]
    picture(tmp_path / "test" / "c" / "0.png", 0, mode="L")
    with pytest.raises(DataError, match="c is a class that is not in the training set: a, b"):
        image_folder(tmp_path)


def test_training_and_validation_are_no_classes(tmp_path, monkeypatch):
    for part, shade in (("train", 10), ("val", 20)):
        for name in ("a", "b"):
            picture(tmp_path / part / name / "0.png", shade, mode="L")
    monkeypatch.chdir(tmp_path)
    dataset = load("images:.")
    assert (dataset.name, dataset.labels) == (tmp_path.name, ("a", "b"))
    assert (dataset.x_train[0, 0, 0, 0], dataset.x_test[0, 0, 0, 0]) == (10, 20)


def test_what_is_hidden_is_no_class(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part / ".thumbnails").mkdir(parents=True)
        for name in ("a", "b"):
            picture(tmp_path / part / name / "0.png", (1, 2, 3))
    assert image_folder(tmp_path).labels == ("a", "b")


@pytest.mark.parametrize("parted", [False, True])
def test_a_class_without_pictures_is_named(tmp_path, parted):
    for part in ("train", "test") if parted else ("",):
        for name in ("a", "b"):
            picture(tmp_path / part / name / "0.png", (1, 2, 3))
    (tmp_path / ("train" if parted else "") / "c").mkdir()
    with pytest.raises(DataError, match="c holds no pictures"):
        image_folder(tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name, dtype", [("a.png", np.uint16), ("a.tif", np.uint16), ("a.tiff", np.int32)])
def test_pictures_of_16_bits_keep_their_shades(tmp_path, name, dtype, channels):
    shades = np.arange(256).reshape(16, 16)
    Image.fromarray((shades * 257).astype(dtype)).save(tmp_path / name, transparency=0)
    found = read_image(tmp_path / name, (16, 16), channels)
    assert np.array_equal(found, np.broadcast_to(shades[..., None], found.shape))


@pytest.mark.parametrize("values", [np.float32([[0.5]]), np.int32([[70_000]]), np.int32([[-1]])])
def test_pictures_without_a_white_are_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="without a known white"):
        read_image(tmp_path / "a.tif", (1, 1), 1)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        image_folder(tmp_path / "none")
    with pytest.raises(DataError, match="holds 0 folders"):
        image_folder(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="no pictures; what counts is .png"):
        image_folder(tmp_path)
    for i in range(4):
        picture(tmp_path / "a" / f"{i}.png", (1, 2, 3))
    (tmp_path / "b" / "5.png").write_bytes((tmp_path / "a" / "1.png").read_bytes()[:40])
    with pytest.raises(DataError, match=r"5\.png is damaged"):
        image_folder(tmp_path)
    with pytest.raises(ValueError, match="1 channel"):
        image_folder(tmp_path, channels=2)
