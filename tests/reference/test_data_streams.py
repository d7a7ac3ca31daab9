"""Batches made ahead in a thread, batches from elsewhere, and images changed at random."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.data.augmentation import AUGMENTATIONS, augmented, chain, crop, flip, rotate
from reference.data.prefetch import prefetch
from reference.data.streams import Stream
from reference.engines import ENGINES, engine
from reference.highlevel import Model
from reference.models import mlp

# prefetch


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@given(st.lists(st.integers(), max_size=20), st.integers(1, 5))
def test_everything_comes_in_order(items, size):
    assert list(prefetch(iter(items), size=size, place=lambda item: (item,))) == [(item,) for item in items]
    assert threads() == []


def test_no_more_is_made_than_there_is_room_for():
    made = []

    def source():
        for i in range(100):
            made.append(i)
            yield i

    items = prefetch(source(), size=3)
    assert made == []  # nothing before it is asked for
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert made == [0, 1, 2, 3, 4]  # one taken, three waiting, one in the hand
    items.close()
    assert threads() == []
    assert len(made) == 5


def test_an_error_of_the_thread_comes_after_the_items_before_it():
    def source():
        yield from (1, 2)
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        for item in prefetch(source()):
            seen.append(item)
    assert seen == [1, 2]
    with pytest.raises(ZeroDivisionError):
        list(prefetch([1, 0], place=lambda item: 1 / item))
    with pytest.raises(TypeError, match="not iterable"):
        list(prefetch(3))
    assert threads() == []


def test_the_thread_ends_when_the_consumer_stops():
    closed = []

    def source():
        try:
            while True:
                yield 0
        finally:
            closed.append(threading.current_thread().name)

    for _ in prefetch(source()):
        break
    assert threads() == []
    assert closed == ["prefetch"]

    def consumer():
        for _ in prefetch(source()):
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        consumer()
    assert threads() == []
    with pytest.raises(ZeroDivisionError):
        list(prefetch(source(), place=lambda item: 1 / item))
    assert closed == ["prefetch"] * 3


def test_room_for_nothing():
    with pytest.raises(ValueError, match="at least one item is made ahead, not 0"):
        prefetch([1], size=0)


@pytest.mark.parametrize("name", ENGINES)
def test_batches_arrive_on_the_device(name):
    jax = engine(name)
    batches = [(np.full((2, 3), i, np.float32), np.arange(2)) for i in range(4)]
    placed = list(prefetch(batches, place=jax.device_put))
    assert all(isinstance(x, jax.Array) for x, _ in placed)
    assert [float(x[0, 0]) for x, _ in placed] == [0, 1, 2, 3]


# batches from elsewhere


class Tensor:
    """What looks like a PyTorch tensor: it becomes an array through `__array__`."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


class DataLoader:
    """What looks like PyTorch's: a length, and each iteration begins anew."""

    def __len__(self):
        return 3

    def __iter__(self):
        for i in range(3):
            yield [Tensor(np.full((2, 3, 4, 5), i, np.float64)), Tensor(np.array([i, i + 1], np.int64))]


class AsNumpy:
    """What looks like `tf.data` as NumPy: dicts, from a method that makes an iterator."""

    def as_numpy_iterator(self):
        return iter({"image": np.full((2, 4, 5, 3), i, np.uint8), "label": np.arange(2)} for i in range(3))


@pytest.mark.parametrize(
    "stream, dtype",
    [
        (Stream(DataLoader(), channels_first=True), np.float32),
        (Stream(AsNumpy().as_numpy_iterator), np.uint8),
        (Stream([(np.full((2, 4, 5, 3), i, np.float16), np.arange(2)) for i in range(3)]), np.float32),
    ],
)
def test_a_stream_begins_anew_in_each_epoch(stream, dtype):
    for _ in range(2):
        batches = list(stream)
        assert [float(x[0, 0, 0, 0]) for x, _ in batches] == [0, 1, 2]
        for x, y in batches:
            assert (x.shape, x.dtype) == ((2, 4, 5, 3), dtype)
            assert (y.shape, y.dtype) == ((2,), np.int32)


def test_a_model_is_fitted_to_a_stream():
    """DataLoader's images have constant colours 0, 1 and 2, and so the classes 0 to 2, and one more."""
    jax = engine("minijax")
    model = Model(jax, mlp.mlp((60, 8, 4)), rate=0.01, optimizer="adam")
    history = model.fit(DataLoader(), epochs=30, progress=False)
    assert len(history) == 30
    assert history.column("loss")[-1] < 0.9 * history.column("loss")[0]
    assert history.column("accuracy")[-1] > 0.4


def test_a_stream_of_single_arrays_and_of_chosen_names():
    assert [batch[0].tolist() for batch in Stream([np.arange(3), np.arange(2)])] == [[0, 1, 2], [0, 1]]
    batches = [{"a": [1.0], "b": [True], "c": 3}]
    ((b, a),) = Stream(batches, names=("b", "a"))
    assert (b.dtype, a.dtype) == (np.bool_, np.float32)


def test_streams_that_cannot_be_read():
    with pytest.raises(TypeError, match=r"generator can be read once only.*Stream\(lambda"):
        Stream(x for x in ())
    with pytest.raises(TypeError, match="a int is neither iterable"):
        Stream(3)
    with pytest.raises(ValueError, match="batch 0 has no 'image'; it has x: set `names`"):
        list(Stream([{"x": 1}]))
    with pytest.raises(TypeError, match="batch 1 holds <U1 of shape"):
        list(Stream([[1], ["a"]]))
    with pytest.raises(ValueError, match="4294967296, too large for 32 bits"):
        list(Stream([[np.array([2**32])]]))


# images changed at random


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((12, 9, 7, 2), np.float32)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_both_engines_change_images_alike(name, images):
    results = []
    for jax in map(engine, ENGINES):
        change = jax.jit(lambda key, x, jax=jax: AUGMENTATIONS[name](jax, key, x))
        changed = change(jax.random.key(3), images)
        assert (changed.shape, changed.dtype) == (images.shape, images.dtype)
        assert not np.array_equal(changed, change(jax.random.key(4), images))
        results.append(np.asarray(changed))
    assert np.abs(results[0] - results[1]).max() < 1e-5
    assert not np.array_equal(results[0], images)


def test_flip_mirrors_some(jax, images):
    flipped = np.asarray(flip(jax, jax.random.key(0), images))
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, images, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 2 < sum(mirrored) < 10


def test_crop_moves_by_whole_pixels(jax, images):
    margin = 2
    moved = np.asarray(crop(jax, jax.random.key(0), images, margin=margin))
    wide = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    _, height, width, _ = images.shape
    corners = set()
    for image, source in zip(moved, wide, strict=True):
        found = [
            (i, j)
            for i in range(2 * margin + 1)
            for j in range(2 * margin + 1)
            if np.array_equal(source[i : i + height, j : j + width], image)
        ]
        assert len(found) == 1
        corners.add(found[0])
    assert len(corners) > 5


def test_rotate_turns_about_the_middle(jax):
    bar = np.zeros((40, 11, 11, 1), np.float32)
    bar[:, 5, :] = 1
    turned = np.asarray(rotate(jax, jax.random.key(0), bar, degrees=30))[..., 0]
    assert np.allclose(turned[:, 5, 5], 1, atol=1e-5)
    rows, columns = np.mgrid[-5:6, -5:6]
    right = columns > 0
    angles = np.arctan2((turned * rows * right).sum((1, 2)), (turned * columns * right).sum((1, 2)))
    assert -0.53 < angles.min() < -0.3
    assert 0.3 < angles.max() < 0.53  # 30 degrees are 0.52


def test_a_chain_gives_each_a_key_of_its_own(jax, images):
    keys = []

    def note(jax, key, images):
        keys.append(tuple(np.asarray(jax.random.key_data(key)).tolist()))
        return images + 1

    changed = chain(note, note)(jax, jax.random.key(0), images)
    assert np.allclose(changed, images + 2)
    assert len(set(keys)) == 2


def test_an_augmented_objective_changes_x_in_training_only(jax, images):
    def objective(jax, params, model_state, batch, key, *, train):
        return batch[0].sum() * params, (model_state, (batch, key))

    changed = augmented(objective, lambda jax, key, x: x + jax.random.uniform(key))
    key, y = jax.random.key(0), np.arange(12)
    draws = set()
    for train, number in ((True, 1), (True, 2), (False, 3)):
        step = jax.random.fold_in(key, number)
        _, (state, ((x, same), inner)) = changed(jax, 2.0, "state", (images, y), step, train=train)
        assert state == "state"
        assert same is y
        assert np.array_equal(jax.random.key_data(inner), jax.random.key_data(step)) != train
        draws.add(float(np.asarray(x - images).mean().round(4)))
    assert len(draws) == 3
    assert 0.0 in draws
