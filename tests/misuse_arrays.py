"""Wrong uses of arrays, numpy, lax, random and trees; see test_misuse.py."""

from __future__ import annotations

import numpy as np
from misuse_transformations import Case, M, V, array, assign

TWO = V[:2]

NOT_ARRAYS: list[Case] = [
    ("item assignment", lambda j: assign(array(j)), ".at["),
    ("sum of a list", lambda j: j.numpy.sum([1.0, 2.0]), "sum list asarray"),
    ("sin of a list", lambda j: j.numpy.sin([1.0, 2.0]), "sin list asarray"),
    ("list plus array", lambda j: array(j) + [1.0, 2.0, 3.0], "+ list"),
    ("sin of a string", lambda j: j.numpy.sin("three"), "sin str"),
    ("add None", lambda j: j.numpy.add(None, 1.0), "add NoneType"),
    ("sum of None", lambda j: j.numpy.sum(None), "sum NoneType"),
    ("asarray of an object", lambda j: j.numpy.asarray(object()), "object array"),
    ("array of a string", lambda j: j.numpy.array("three"), "three"),
    ("array of a ragged list", lambda j: j.numpy.array([[1, 2], [3]]), "shape"),
    ("device_put of an object", lambda j: j.device_put(object()), "object array"),
    ("unknown dtype", lambda j: j.numpy.zeros(3, dtype="float33"), "float33"),
    ("unknown dtype of astype", lambda j: array(j).astype("complicated"), "complicated"),
    ("truth of many", lambda j: bool(array(j) > 0), "truth any all"),
    ("truth of none", lambda j: bool(array(j, V[:0])), "truth empty size"),
    ("int of many", lambda j: int(array(j)), "scalar"),
    ("iteration over a scalar", lambda j: list(array(j, np.float32(1.0))), "0-d"),
    ("len of a scalar", lambda j: len(array(j, np.float32(1.0))), "len"),
    ("hash", lambda j: hash(array(j)), "unhashable"),
    ("and of floats", lambda j: array(j) & 1, "and float32 integer"),
    ("inverse of floats", lambda j: ~array(j), "not float32 integer"),
]

SHAPES: list[Case] = [
    ("add", lambda j: array(j) + array(j, TWO), "add (3,) (2,)"),
    ("lax.add", lambda j: j.lax.add(array(j), array(j, TWO)), "add (3,) (2,)"),
    (
        "lax.add of two dtypes",
        lambda j: j.lax.add(array(j), array(j, np.arange(3))),
        "add float32 int32 astype jax.numpy",
    ),
    ("dot", lambda j: j.numpy.dot(array(j, M), array(j, M)), "dot (2, 3)"),
    ("matmul", lambda j: array(j, M) @ array(j, M), "(2, 3)"),
    ("matmul of a scalar", lambda j: j.numpy.matmul(array(j, M), 2.0), "matmul 0"),
    (
        "dot_general",
        lambda j: j.lax.dot_general(array(j, M), array(j, M), (((1,), (0,)), ((), ()))),
        "dot_general contracting (2, 3)",
    ),
    ("concatenate ranks", lambda j: j.numpy.concatenate([array(j, M), array(j)]), "concatenate (2, 3) (3,)"),
    (
        "concatenate sizes",
        lambda j: j.numpy.concatenate([array(j, M), array(j, M[:, :2])]),
        "concatenate (2, 3) (2, 2)",
    ),
    ("concatenate nothing", lambda j: j.numpy.concatenate([]), "concatenate one array"),
    ("concatenate an array", lambda j: j.numpy.concatenate(array(j)), "concatenate"),
    ("concatenate scalars", lambda j: j.numpy.concatenate([1.0, 2.0]), "concatenate stack"),
    ("stack", lambda j: j.numpy.stack([array(j), array(j, TWO)]), "stack (3,) (2,)"),
    ("reshape", lambda j: array(j, M).reshape(4, 2), "reshape (2, 3) (4, 2) 6 8"),
    ("reshape with two unknowns", lambda j: array(j, M).reshape(-1, -1), "reshape -1 one"),
    ("broadcast_to", lambda j: j.numpy.broadcast_to(array(j), (2, 4)), "broadcast (3,) (2, 4)"),
    ("where", lambda j: j.numpy.where(array(j) > 0, array(j, TWO), 0.0), "(3,) (2,)"),
    ("zeros of a negative size", lambda j: j.numpy.zeros((-1, 2)), "shape (-1, 2) negative"),
    ("select_n of a float", lambda j: j.lax.select_n(array(j), array(j), array(j)), "select float32 bool"),
    (
        "dynamic_slice too large",
        lambda j: j.lax.dynamic_slice(array(j), (0,), (4,)),
        "dynamic_slice (4,) (3,)",
    ),
    ("slice past the end", lambda j: j.lax.slice(array(j), (0,), (4,)), "slice (4,) (3,)"),
    ("pad of other rank", lambda j: j.lax.pad(array(j), 0.0, [(1, 1, 0)] * 2), "pad padding_config"),
    ("sort by too many keys", lambda j: j.lax.sort((array(j), array(j)), num_keys=3), "sort num_keys 3 2"),
    ("einsum with an unknown letter", lambda j: j.numpy.einsum("ij->k", array(j, M)), "einsum k"),
    ("einsum with too few operands", lambda j: j.numpy.einsum("ij,jk->ik", array(j, M)), "einsum 2 1"),
    ("einsum sizes", lambda j: j.numpy.einsum("ij,jk->ik", array(j, M), array(j, M)), "einsum j 3 2"),
]

AXES: list[Case] = [
    ("sum", lambda j: j.numpy.sum(array(j), axis=1), "axis 1 dimension 1"),
    ("sum twice", lambda j: j.numpy.sum(array(j, M), axis=(0, 0)), "axis (0, 0)"),
    ("lax.reduce_sum", lambda j: j.lax.reduce_sum(array(j), (1,)), "reduce_sum (1,) (3,)"),
    ("expand_dims", lambda j: j.numpy.expand_dims(array(j), 3), "axis 3"),
    ("squeeze", lambda j: j.numpy.squeeze(array(j), axis=0), "squeeze (3,) one"),
    ("transpose", lambda j: j.numpy.transpose(array(j, M), (0, 0)), "transpose (0, 0) permutation"),
    ("max of nothing", lambda j: j.numpy.max(array(j, V[:0])), "max initial"),
    ("argmax of nothing", lambda j: j.numpy.argmax(array(j, V[:0])), "argmax empty"),
    ("split unevenly", lambda j: j.numpy.split(array(j), 2), "split array_split"),
    ("softmax", lambda j: j.nn.softmax(array(j), axis=2), "axis 2 dimension 1"),
]

INDEXING: list[Case] = [
    ("a float", lambda j: array(j)[1.0], "index float integer"),
    ("a string", lambda j: array(j)["x"], "index string x"),
    ("a list", lambda j: array(j)[[0, 1]], "index list array"),
    ("too many", lambda j: array(j)[0, 0], "index 1 2"),
    ("two ellipses", lambda j: array(j, M)[..., ...], "ellipsis"),
    ("booleans of other shape", lambda j: array(j)[array(j, np.asarray([True, False]))], "boolean 2 3"),
    ("at without an index", lambda j: array(j).at.set(1.0), "at set"),
    ("at set of other shape", lambda j: array(j).at[:2].set(array(j)), "broadcast (3,) (2,)"),
]

RANDOM: list[Case] = [
    ("key from a float", lambda j: j.random.key(1.5), "seed integer float32"),
    ("PRNGKey from a float", lambda j: j.random.PRNGKey(0.5), "seed integer float32"),
    ("key from an array", lambda j: j.random.key(array(j, np.arange(2))), "seed (2,) vmap"),
    (
        "raw key of other shape",
        lambda j: j.random.uniform(array(j, np.zeros(3, np.uint32))),
        "key (3,) 2 jax.random.key",
    ),
    (
        "raw key of other dtype",
        lambda j: j.random.uniform(array(j, np.zeros(2, np.int32))),
        "key int32 uint32",
    ),
    ("int for a key", lambda j: j.random.normal(0), "key 0 jax.random.key"),
    ("many keys", lambda j: j.random.normal(j.random.split(j.random.key(0))), "normal (2,) vmap"),
    ("normal of ints", lambda j: j.random.normal(j.random.key(0), dtype=j.numpy.int32), "normal float int32"),
    (
        "randint of floats",
        lambda j: j.random.randint(j.random.key(0), (), 0, 5, "float32"),
        "randint integer float32",
    ),
    ("choice of too many", lambda j: j.random.choice(j.random.key(0), 3, (5,), False), "5 3 replace"),
    ("key plus one", lambda j: j.random.key(0) + 1, "add key<fry>"),
]

TREES_AND_FLAGS: list[Case] = [
    ("unknown flag", lambda j: j.config.update("jax_enable_x46", True), "jax_enable_x46"),
    (
        "trees of other structure",
        lambda j: j.tree_util.tree_map(lambda x, y: x, {"a": 1}, {"b": 1}),
        "tree_map a b",
    ),
    (
        "too few leaves",
        lambda j: j.tree_util.tree_unflatten(j.tree_util.tree_structure([1, 2]), [1]),
        "leaves 2 1",
    ),
]

CASES = [*NOT_ARRAYS, *SHAPES, *AXES, *INDEXING, *RANDOM, *TREES_AND_FLAGS]
