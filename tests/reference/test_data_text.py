"""Words, sentences, characters and tables."""

import io
import re
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.data import DataError, DataUnavailable, load, sentences
from reference.data.characters import character_text, decode_characters, encode_characters, windows
from reference.data.tables import csv_table
from reference.data.words import UNKNOWN, build_vocabulary, decode, encode, lengths, tokenize


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty data directory and an empty cache; no mirror."""
    monkeypatch.setenv("MINIJAX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINIJAX_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("IMDB", "SENTENCE_POLARITY"):
        monkeypatch.setattr(sentences, name, getattr(sentences, name)._replace(mirrors=()))
    return tmp_path


# words


@pytest.mark.parametrize(
    "text, words",
    [
        ("It's a GOOD film, really.", ["it's", "a", "good", "film", ",", "really", "."]),
        ("line<br />break", ["line", "break"]),
        ("2 < 3, e_f, naïve", ["2", "<", "3", ",", "e", "f", ",", "naïve"]),
        ("'quoted'  --", ["'", "quoted", "'", "-", "-"]),
        ("", []),
    ],
)
def test_tokenize(text, words):
    assert tokenize(text) == words


def test_the_vocabulary_has_the_frequent_words_first():
    texts = [["b", "a", "b"], ["c", "a", "b", "d"]]
    assert build_vocabulary(texts) == ("<padding>", "<unknown>", "b", "a")
    assert build_vocabulary(texts, minimum=1) == ("<padding>", "<unknown>", "b", "a", "c", "d")
    assert build_vocabulary(texts, size=3) == ("<padding>", "<unknown>", "b")
    with pytest.raises(ValueError, match="not 1"):
        build_vocabulary(texts, size=1)


WORDS = st.lists(st.sampled_from("abcdef"), max_size=9)


@given(texts=st.lists(WORDS, min_size=1, max_size=6), length=st.integers(1, 12))
def test_rows_hold_the_last_words_and_then_padding(texts, length):
    vocabulary = build_vocabulary(texts, minimum=1)
    rows = encode(texts, vocabulary, length)
    assert rows.shape == (len(texts), length)
    assert lengths(rows).tolist() == [max(1, min(len(text), length)) for text in texts]
    for row, text in zip(rows, texts, strict=True):
        assert decode(row, vocabulary) == (" ".join(text[-length:]) or "<unknown>")


def test_strange_words_are_unknown():
    rows = encode([["a", "never seen"]], ("<padding>", "<unknown>", "a"), 3)
    assert rows.tolist() == [[2, UNKNOWN, 0]]
    with pytest.raises(ValueError, match="at least one token, not 0"):
        encode([], (), 0)


# sentences


def test_sentences_are_split_and_mixed_always_the_same(places):
    folder = places / "data" / "sentence-polarity"
    folder.mkdir(parents=True)
    for opinion in ("pos", "neg"):
        lines = [f"a {opinion} film , number {i}" for i in range(50)]
        (folder / f"rt-polarity.{opinion}").write_text("\n".join(lines) + "\n")
    dataset = load("sentence-polarity", length=7)
    assert (dataset.x_train.shape, dataset.x_test.shape) == ((90, 7), (10, 7))
    assert dataset.x_train.dtype == dataset.y_train.dtype == np.int32
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        assert 0 < y.mean() < 1
        for row, label in zip(x, y, strict=True):
            assert ("pos" if label else "neg") in decode(row, dataset.vocabulary)
    again = load("sentence-polarity", length=7)
    assert np.array_equal(dataset.x_train, again.x_train)
    (folder / "rt-polarity.pos").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="rt-polarity.pos is damaged"):
        load("sentence-polarity")
    (folder / "rt-polarity.pos").write_text("\n")
    with pytest.raises(DataError, match="one of its two files is empty"):
        load("sentence-polarity")


def test_sentence_polarity_is_whole(monkeypatch):
    monkeypatch.setattr(sentences, "SENTENCE_POLARITY", sentences.SENTENCE_POLARITY._replace(mirrors=()))
    try:
        dataset = load("sentence-polarity")
    except DataUnavailable as reason:
        pytest.skip(str(reason))
    assert (len(dataset.x_train), len(dataset.x_test)) == (9596, 1066)
    assert abs(dataset.y_test.mean() - 0.5) < 0.03
    assert dataset.vocabulary[2:5] == (".", "the", ",")
    assert lengths(dataset.x_train).min() >= 1


REVIEWS = {
    f"{part}/{opinion}/{number}_{rating}.txt": f"{part} {opinion} {number}<br />the end"
    for part in ("train", "test")
    for opinion, rating in (("pos", 8), ("neg", 3))
    for number in (2, 10, 1)
}


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_reviews(places, form):
    folder = places / "cache" / "imdb"
    folder.mkdir(parents=True)
    others = {"train/unsup/1_0.txt": "no opinion", "train/labeledBow.feat": "0:1", "README": "about"}
    if form == "archive":
        with tarfile.open(folder / "aclImdb_v1.tar.gz", "w:gz") as tar:
            for name, text in (REVIEWS | others).items():
                member = tarfile.TarInfo(f"aclImdb/{name}")
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
    else:
        for name, text in (REVIEWS | others).items():
            path = folder / "aclImdb" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    dataset = load("imdb", length=8)
    read = [decode(row, dataset.vocabulary) for row in dataset.x_train]
    assert read == [f"train {opinion} {number} the end" for opinion in ("neg", "pos") for number in (1, 2, 10)]
    assert dataset.y_test.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.labels == ("negative", "positive")


def test_reviews_that_are_missing(places):
    with pytest.raises(DataUnavailable, match="IMDB"):
        load("imdb")
    folder = places / "data" / "imdb"
    for name in ("train/pos", "train/neg", "test/pos", "test/neg"):
        (folder / name).mkdir(parents=True)
    with pytest.raises(DataError, match="no reviews train/neg"):
        load("imdb")


# characters


@given(
    tokens=st.lists(st.integers(0, 9), min_size=8, max_size=60),
    length=st.integers(1, 6),
    stride=st.integers(1, 8),
)
def test_windows_and_what_follows_them(tokens, length, stride):
    tokens = np.array(tokens, np.int32)
    x, y = windows(tokens, length, stride)
    assert x.shape == y.shape == (len(range(0, len(tokens) - length, stride)), length)
    for i, (here, after) in enumerate(zip(x, y, strict=True)):
        start = i * stride
        assert np.array_equal(here, tokens[start : start + length])
        assert np.array_equal(after, tokens[start + 1 : start + length + 1])


def test_a_text_of_ones_own(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("äbc " * 60, encoding="utf-8")
    dataset = load(f"text:{path}", length=10)
    assert (dataset.name, dataset.classes, dataset.vocabulary) == ("poem", 4, (" ", "b", "c", "ä"))
    assert dataset.shape == (10,)
    assert decode_characters(dataset.y_train[0], dataset.vocabulary) == "bc äbc äbc"
    assert np.array_equal(encode_characters("cä", dataset.vocabulary), [2, 3])
    with pytest.raises(ValueError, match="lacks 'x'"):
        encode_characters("cxä", dataset.vocabulary)
    with pytest.raises(DataError, match="too few for windows of 30"):
        character_text(path, length=30)
    with pytest.raises(DataError, match="there is no file"):
        character_text(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="digits is no text"):
        load("digits", length=3)


# tables


def table(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def test_a_table_of_numbers_and_texts(tmp_path):
    rows = [f"{i},{'ab'[i % 2]},7,{('no', 'yes')[i % 2]}" for i in range(10)]
    dataset = load(f"csv:{table(tmp_path, 'size,kind,same,bought' + chr(10) + chr(10).join(rows) + chr(10))}")
    assert dataset.x_train.shape == (8, 4)
    assert dataset.x_train.dtype == np.float32
    assert dataset.labels == ("no", "yes")
    assert np.allclose(dataset.x_train.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(dataset.x_train[:, [0, 1, 2]].std(axis=0), 1)
    assert not dataset.x_train[:, 3].any()  # a column that never changes
    assert np.array_equal(dataset.y_test == 1, dataset.x_test[:, 2] > 0)


def test_a_table_with_a_number_to_predict(tmp_path):
    path = table(tmp_path, "\n".join(f"{i};{i * 0.5};{i % 3}" for i in range(12)))
    dataset = csv_table(path, target=1, delimiter=";")
    assert (dataset.classes, dataset.y_train.dtype, dataset.shape) == (0, np.float32, (2,))
    assert sorted([*dataset.y_train, *dataset.y_test]) == [i * 0.5 for i in range(12)]
    assert csv_table(path, delimiter=";").classes == 3
    assert csv_table(path, target="2", delimiter=";").y_train.dtype == np.int32


@pytest.mark.parametrize(
    "text, what",
    [
        ("", "it has no rows"),
        ("a,b\n1,2\n3\n", "line 3 has 1 columns, line 1 has 2"),
        ("a,b\n1,2\n3,\n", "line 3 has no value in column 2"),
        ("a;b\n1;2\n", "one column only; are its values separated by ','"),
        ('a,b\n"1,2\n', "damaged"),
    ],
)
def test_a_damaged_table_is_named_with_its_line(tmp_path, text, what):
    with pytest.raises(DataError, match=what):
        csv_table(table(tmp_path, text))


@pytest.mark.parametrize("cell", ["nan", "NA", "?", "inf", "1e39"])
@pytest.mark.parametrize("target", [0, 1])
def test_a_missing_number_is_named_with_its_line(tmp_path, cell, target):
    with pytest.raises(DataError, match=rf"line 4 has '{re.escape(cell)}' in column size, which is one of numbers"):
        csv_table(table(tmp_path, f"size,kind\n1.5,a\n2.5,b\n{cell},a\n3.5,b\n"), target=target)


def test_texts_among_numbers_are_texts(tmp_path):
    dataset = csv_table(table(tmp_path, "\n".join(f"{kind},{i % 2}" for i, kind in enumerate(["1", "2", "3+"] * 4))))
    assert dataset.x_train.shape[1] == 3


def test_a_table_without_the_column(tmp_path):
    path = table(tmp_path, "a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match="no column 'c'; it has: a, b"):
        csv_table(path, target="c")
    with pytest.raises(DataError, match="no column 2; it has 2"):
        csv_table(path, target=2)
    with pytest.raises(DataError, match="there is no file"):
        csv_table(tmp_path / "none.csv")
