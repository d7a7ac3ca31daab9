"""Batches, and where datasets come from."""

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.batches import batch_count, epoch_batches, permutation
from reference.data import DataError, Dataset, DataUnavailable, holdout, idx, load, sources, split
from reference.data.idx import read_idx
from reference.files import atomic

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx_file(array):
    """`array` as a gzipped IDX file."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


def contents(value):
    """The four files of a tiny dataset in MNIST's format whose pixels are all `value`."""
    parts = []
    for count in (6, 4):
        parts += [np.full((count, 28, 28), value), np.arange(count)]
    return {name: idx_file(part) for name, part in zip(FILES, parts, strict=True)}


def place(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty data directory and an empty cache, the only places that are looked at."""
    monkeypatch.setenv("MINIJAX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINIJAX_CACHE_DIR", str(tmp_path / "cache"))
    set_mirrors(monkeypatch, ())
    return tmp_path


def set_mirrors(monkeypatch, mirrors, hashes=None):
    files = idx.MNIST.files if hashes is None else hashes
    monkeypatch.setattr(idx, "MNIST", idx.MNIST._replace(mirrors=mirrors, files=files))
    monkeypatch.setattr(sources, "PAUSE", 0.0)


@pytest.fixture
def serve():
    """Starts servers that answer with the given files and 404 for the rest."""
    started = []

    def start(files):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                content = files.get(self.path.strip("/"))
                self.send_response(200 if content else 404)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *args):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


# batches


def test_permutation_is_the_same_everywhere():
    assert permutation(10, seed=0).tolist() == [0, 2, 9, 1, 8, 5, 4, 3, 6, 7]
    assert sorted(permutation(1000, seed=7, epoch=3).tolist()) == list(range(1000))


def test_permutations_differ_by_seed_and_epoch():
    orders = {tuple(permutation(50, seed, epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@pytest.mark.parametrize("drop_last, sizes", [(True, [4, 4]), (False, [4, 4, 2])])
def test_the_last_batch_is_dropped_or_kept(drop_last, sizes):
    batches = list(epoch_batches(10, 4, seed=1, epoch=0, drop_last=drop_last))
    assert [len(batch) for batch in batches] == sizes
    assert len(batches) == batch_count(10, 4, drop_last=drop_last)
    chosen = np.concatenate(batches).tolist()
    assert len(set(chosen)) == len(chosen)


def test_without_a_seed_the_order_is_that_of_the_file():
    batches = list(epoch_batches(10, 4, seed=None, epoch=5, drop_last=False))
    assert np.concatenate(batches).tolist() == list(range(10))


# datasets


def test_digits_are_whole(digits):
    assert digits.x_train.shape == (1437, 8, 8)
    assert digits.x_test.shape == (360, 8, 8)
    counts = np.bincount(digits.y_train) + np.bincount(digits.y_test)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.x_train.max() == 16
    assert np.bincount(digits.y_test).min() >= 25


def test_inputs_are_images_with_channels_between_zero_and_one(digits):
    for dtype in (np.float32, np.float64):
        x = digits.inputs(digits.x_train[:20], dtype)
        assert x.shape == (20, *digits.shape) == (20, 8, 8, 1)
        assert digits.features == 64
        assert x.dtype == dtype
        assert x.min() == 0
        assert x.max() == 1


def test_inputs_of_tokens_and_numbers():
    tokens = np.arange(6, dtype=np.int32).reshape(2, 3)
    text = Dataset("text", tokens, tokens, tokens, tokens, vocabulary=tuple("abcdef"))
    assert text.inputs(tokens) is tokens
    assert text.shape == (3,)
    numbers = Dataset("numbers", tokens / 2, tokens, tokens, tokens)
    assert numbers.inputs(numbers.x_train, np.float64).dtype == np.float64
    assert np.array_equal(numbers.inputs(numbers.x_train), tokens / 2)


@given(st.integers(2, 300), st.floats(0.01, 0.99), st.integers(0, 5))
def test_a_split_takes_everything_once(examples, share, seed):
    if not 0 < round(examples * share) < examples:
        with pytest.raises(ValueError, match="empty"):
            split(examples, share, seed=seed)
        return
    first, second = split(examples, share, seed=seed)
    assert len(second) == round(examples * share)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(examples))


def test_a_holdout_leaves_the_test_set_unseen(digits):
    inner = holdout(digits, 0.1)
    assert (len(inner.x_train), len(inner.x_test)) == (1437 - 144, 144)
    both = np.concatenate([inner.x_train, inner.x_test])
    assert sorted(map(bytes, both)) == sorted(map(bytes, digits.x_train))
    assert not np.array_equal(inner.x_train, digits.x_train[: len(inner.x_train)])


def test_mnist_is_mnist(mnist):
    assert mnist.x_train.shape == (60000, 28, 28)
    assert mnist.x_test.shape == (10000, 28, 28)
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(mnist.x_train.mean() / 255, 4) == 0.1307


def test_the_data_directory_comes_before_the_cache(places):
    place(places / "cache" / "mnist", contents(1))
    assert load("mnist").x_train[0, 0, 0] == 1
    place(places / "data" / "mnist", contents(2))
    dataset = load("mnist")
    assert dataset.x_train[0, 0, 0] == 2
    assert dataset.x_test.shape == (4, 28, 28)
    assert dataset.y_train.tolist() == [0, 1, 2, 3, 4, 5]


def test_half_a_dataset_is_not_taken(places):
    files = contents(2)
    place(places / "cache" / "mnist", contents(1))
    del files[FILES[3]]
    place(places / "data" / "mnist", files)
    assert load("mnist").x_train[0, 0, 0] == 1


def test_download_takes_the_first_whole_copy(places, monkeypatch, serve):
    files = contents(3)
    damaged = files | {FILES[0]: files[FILES[0]][:-5]}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    set_mirrors(monkeypatch, (serve({}), serve(damaged), serve(files)), hashes)
    assert load("auto").x_train[0, 0, 0] == 3
    kept = {file.name: file.read_bytes() for file in (places / "cache" / "mnist").iterdir()}
    assert kept == files
    set_mirrors(monkeypatch, (), hashes)
    assert load("mnist").x_train[0, 0, 0] == 3


class Unreliable(dict):
    """The files, but the first answers for each of them break off in the middle."""

    def __init__(self, files, failures):
        super().__init__(files)
        self.left = dict.fromkeys(files, failures)
        self.asked = 0

    def get(self, name):
        self.asked += 1
        content = super().get(name)
        if content is not None and self.left[name]:
            self.left[name] -= 1
            return content[: len(content) // 2]
        return content


def test_a_broken_transfer_is_tried_again(places, monkeypatch, serve):
    files = contents(3)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    answers = Unreliable(files, 2)
    set_mirrors(monkeypatch, (serve(answers),), hashes)
    assert load("mnist").x_train[0, 0, 0] == 3
    assert answers.asked == 3 * len(files)


def test_a_mirror_without_the_file_is_not_asked_again(places, monkeypatch, serve):
    answers = Unreliable({}, 0)
    set_mirrors(monkeypatch, (serve(answers),))
    with pytest.raises(DataUnavailable, match="404"):
        load("mnist")
    assert answers.asked == 1


def test_a_wrong_checksum_leaves_nothing_behind(places, monkeypatch, serve):
    set_mirrors(monkeypatch, (serve(contents(3)),))
    with pytest.raises(DataUnavailable, match="wrong SHA-256"):
        load("mnist")
    assert list((places / "cache" / "mnist").iterdir()) == []


def test_a_download_that_cannot_be_kept(places, monkeypatch, serve):
    files = contents(3)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    set_mirrors(monkeypatch, (serve(files),), hashes)
    (places / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataUnavailable, match="cannot be kept"):
        load("mnist")


def test_auto_says_in_one_line_that_it_takes_the_digits(places, monkeypatch, serve, capsys):
    set_mirrors(monkeypatch, (serve({}),))
    assert load("auto").name == "digits"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "MINIJAX_DATA_DIR" in lines[0]
    assert "embedded" in lines[0]


def test_an_unknown_name_lists_the_possible_ones(places):
    with pytest.raises(ValueError, match="cifar'.*auto, mnist, fashion-mnist, digits.*csv:PATH"):
        load("cifar")


WHOLE = idx_file(np.zeros((2, 28, 28)))


@pytest.mark.parametrize(
    "content, what",
    [
        (b"no gzip at all", "gzip"),
        (WHOLE[: len(WHOLE) // 2], "end-of-stream"),
        (gzip.compress(b"\0\0\x0b\1" + bytes(4), mtime=0), "no IDX file of bytes"),
        (gzip.compress(b"\0\0", mtime=0), "no IDX file of bytes"),
        (gzip.compress(b"\0\0\x08\3" + bytes(4), mtime=0), "promises"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\5" + bytes(4), mtime=0), r"promises \(5,\), and 4 bytes follow"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content, what):
    file = tmp_path / "images.gz"
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"images.gz is damaged: .*{what}.*; delete it"):
        read_idx(file)


def test_a_damaged_file_is_no_reason_to_take_other_data(places):
    place(places / "data" / "mnist", contents(1) | {FILES[0]: b"damaged"})
    with pytest.raises(DataError, match="damaged") as caught:
        load("auto")
    assert not isinstance(caught.value, DataUnavailable)


@pytest.mark.parametrize("images", [np.zeros((6, 8, 8)), np.zeros((5, 28, 28))])
def test_files_of_another_dataset_are_refused(places, images):
    place(places / "data" / "mnist", contents(1) | {FILES[0]: idx_file(images)})
    with pytest.raises(DataError, match="does not hold MNIST: the training images are"):
        load("mnist")


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "new" / "file"
    with atomic(path) as file:
        file.write(b"first")
    with pytest.raises(RuntimeError, match="midway"), atomic(path) as file:
        file.write(b"second")
        raise RuntimeError("midway")
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
