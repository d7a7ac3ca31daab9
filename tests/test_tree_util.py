"""Pytrees against JAX: the same trees through both implementations."""

import collections
import copy
import dataclasses
import functools
import pickle
import sys

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minijax import tree, tree_util

PAIR = (tree_util, jax.tree_util)
# Trees are small and quick; more of them than the profile asks for.
many = settings(max_examples=max(100, settings.default.max_examples))
ENTRIES = ("DictKey", "SequenceKey", "GetAttrKey", "FlattenedIndexKey")

# --------------------------------------------------------------------------- classes that both know


Point = collections.namedtuple("Point", "x y")


class Box:
    """A custom node with metadata and unnamed children."""

    def __init__(self, children, label):
        self.children, self.label = tuple(children), label

    def __eq__(self, other):
        return type(other) is Box and (self.children, self.label) == (other.children, other.label)


class Named:
    """A custom node with named children; each library gets its own classes of keys."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def __eq__(self, other):
        return type(other) is Named and (self.first, self.second) == (other.first, other.second)


class Methods:
    """A custom node by methods."""

    def __init__(self, value):
        self.value = value

    def tree_flatten(self):
        return iter([self.value]), None

    @classmethod
    def tree_unflatten(cls, aux_data, children):
        return cls(*children)

    def __eq__(self, other):
        return type(other) is Methods and self.value == other.value


@dataclasses.dataclass
class Layer:
    weight: object
    bias: object
    name: str = dataclasses.field(default="dense", metadata={"static": True})


class Tag(str):
    """A static string."""


for library in PAIR:
    library.register_pytree_node(Box, lambda b: (b.children, b.label), lambda label, xs: Box(xs, label))
    library.register_pytree_with_keys(
        Named,
        lambda n, key=library.GetAttrKey: (((key("first"), n.first), ("2nd", n.second)), None),
        lambda _, xs: Named(*xs),
    )
    library.register_pytree_node_class(Methods)
    library.register_dataclass(Layer)
    library.register_static(Tag)


def nodes(children):
    names = st.sampled_from("abcdef")
    some = st.lists(children, max_size=3)
    return st.one_of(
        some,
        some.map(tuple),
        st.dictionaries(names, children, max_size=3),
        st.dictionaries(st.integers(0, 9), children, max_size=3),
        st.dictionaries(names, children, max_size=3).map(collections.OrderedDict),
        st.dictionaries(names, children, max_size=3).map(lambda d: collections.defaultdict(int, d)),
        st.builds(Point, children, children),
        st.builds(Box, some, st.sampled_from(["left", "right", 3, (1, 2)])),
        st.builds(Named, children, children),
        st.builds(Methods, children),
        st.builds(Layer, children, children, names),
    )


LEAVES = st.one_of(st.integers(), st.just("text"), st.floats(allow_nan=False), st.none(), st.builds(Tag, st.just("t")))
TREES = st.recursive(LEAVES, nodes, max_leaves=12)


def outcome(function, *args, **kwargs):
    """The result as something comparable, or the exception's class."""
    try:
        return comparable(function(*args, **kwargs))
    except (ValueError, TypeError, AttributeError) as error:
        return type(error).__name__


def comparable(x):
    if type(x).__name__ == "PyTreeDef":
        return f"{x!r} {x.num_leaves} {x.num_nodes}"
    if type(x).__name__ in ENTRIES:
        return repr(x)
    if type(x) in (list, tuple):
        return type(x)([comparable(y) for y in x])
    return x


# --------------------------------------------------------------------------- flatten and unflatten


@many
@given(TREES)
def test_flatten_and_unflatten(pytree):
    (leaves, ours), (jax_leaves, theirs) = (library.tree_flatten(pytree) for library in PAIR)
    assert leaves == jax_leaves == tree.leaves(pytree)
    assert repr(ours) == str(ours) == repr(theirs)
    assert (ours.num_leaves, ours.num_nodes) == (theirs.num_leaves, theirs.num_nodes)
    assert ours.node_data() == theirs.node_data()
    assert comparable(ours.children()) == comparable(theirs.children())
    rebuilt = ours.unflatten(leaves)
    assert rebuilt == pytree == tree_util.tree_unflatten(ours, iter(leaves))
    assert type(rebuilt) is type(pytree)
    assert tree_util.treedef_is_leaf(ours) == jax.tree_util.treedef_is_leaf(theirs)
    assert tree_util.treedef_children(ours) == ours.children()
    for wrong in (leaves + [0], leaves[:-1]):
        assert outcome(ours.unflatten, wrong) == outcome(theirs.unflatten, wrong)


@many
@given(TREES)
def test_is_leaf(pytree):
    for is_leaf in (lambda x: x is None, lambda x: isinstance(x, (dict, Box)), lambda x: True):
        ours, theirs = (outcome(library.tree_flatten, pytree, is_leaf) for library in PAIR)
        assert ours == theirs
        assert outcome(tree_util.tree_structure, pytree, is_leaf) == theirs[1]


@many
@given(TREES)
def test_key_paths(pytree):
    ours, treedef = tree_util.tree_flatten_with_path(pytree)
    theirs, jax_treedef = jax.tree_util.tree_flatten_with_path(pytree)
    assert comparable(ours) == comparable(theirs)
    assert repr(treedef) == repr(jax_treedef)
    assert treedef == tree_util.tree_structure(pytree)
    for (path, _), (jax_path, _) in zip(ours, theirs, strict=True):
        assert hash(path) == hash(tuple(path)) and path == copy.deepcopy(path)
        for options in ({}, {"simple": True}, {"separator": "/"}, {"simple": True, "separator": "."}):
            assert tree_util.keystr(path, **options) == jax.tree_util.keystr(jax_path, **options)
    assert tree.leaves_with_path(pytree) == ours

    def deep(path, x):
        return len(path) == 2

    assert comparable(tree_util.tree_leaves_with_path(pytree, deep, is_leaf_takes_path=True)) == comparable(
        jax.tree_util.tree_leaves_with_path(pytree, deep, is_leaf_takes_path=True)
    )
    mapped = tree.map_with_path(lambda p, x, y: (tree_util.keystr(p), x, y), pytree, pytree)
    assert mapped == jax.tree.map_with_path(lambda p, x, y: (jax.tree_util.keystr(p), x, y), pytree, pytree)


@many
@given(TREES)
def test_one_level(pytree):
    names = ["flatten_one_level"]
    if not isinstance(pytree, Point):  # JAX 0.10.2 gives all fields of a named tuple the first one's name
        names.append("flatten_one_level_with_keys")
    for name in names:
        results = []
        for library in PAIR:
            result = outcome(getattr(library, name), pytree)
            results.append(result if isinstance(result, str) else (list(result[0]), result[1]))
        assert results[0] == results[1]
    assert tree_util.is_tree_node(type(pytree)) == jax.tree_util.is_tree_node(type(pytree))
    registry = tree_util.default_registry
    assert registry.flatten(pytree) == tree_util.tree_flatten(pytree)
    assert (registry.flatten_one_level(pytree) is None) == (not registry.is_node(type(pytree)))
    assert (registry.flatten_one_level_with_keys(pytree) is None) == (not registry.is_node(type(pytree)))


@many
@given(TREES, TREES)
def test_structures_are_equal_when_those_of_jax_are(a, b):
    ours = [tree_util.tree_structure(x) for x in (a, b)]
    theirs = [jax.tree_util.tree_structure(x) for x in (a, b)]
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert (ours[0] != ours[1]) == (theirs[0] != theirs[1])
    assert ours[0] == tree_util.tree_structure(copy.copy(a))
    assert hash(ours[0]) == hash(tree_util.tree_structure(copy.copy(a)))
    assert comparable(ours[0].compose(ours[1])) == comparable(theirs[0].compose(theirs[1]))
    assert comparable(tree_util.treedef_tuple(ours)) == comparable(jax.tree_util.treedef_tuple(theirs))


@many
@given(TREES)
def test_structures_pickle(pytree):
    treedef = tree_util.tree_structure(pytree)
    loaded = pickle.loads(pickle.dumps(treedef))
    assert loaded == treedef and hash(loaded) == hash(treedef)
    leaves = tree_util.tree_leaves(pytree)
    assert loaded.unflatten(leaves) == pytree
    assert copy.deepcopy(treedef) == treedef


@many
@given(TREES)
def test_structures_are_rebuilt_from_their_parts(pytree):
    treedef = tree_util.tree_structure(pytree)
    rebuilt = treedef.from_node_data_and_children(tree_util.default_registry, treedef.node_data(), treedef.children())
    assert rebuilt == treedef and rebuilt.num_leaves == treedef.num_leaves
    leaves = tree_util.tree_leaves(pytree)
    ours, theirs = (
        library.tree_structure(pytree).walk(lambda xs, data: (xs, data), lambda x: [x], leaves) for library in PAIR
    )
    assert ours == theirs


# --------------------------------------------------------------------------- prefixes


@st.composite
def prefixes(draw):
    """A tree, and the same with some subtrees replaced by a leaf."""
    pytree = draw(TREES)

    def cut(x):
        return tree_util.is_tree_node(type(x)) and draw(st.integers(0, 3)) == 0

    return tree_util.tree_map(lambda x: 0 if tree_util.is_tree_node(type(x)) else x, pytree, is_leaf=cut), pytree


@many
@given(prefixes())
def test_prefixes(trees):
    prefix, full = trees
    ours, theirs = (library.tree_structure(prefix) for library in PAIR)
    assert ours.flatten_up_to(full) == theirs.flatten_up_to(full)
    assert tree.map(lambda a, b: (a, b), prefix, full) == jax.tree.map(lambda a, b: (a, b), prefix, full)
    assert tree.broadcast(prefix, full) == jax.tree.broadcast(prefix, full)
    leaves = tree_util.broadcast_prefix(prefix, full)
    assert leaves == jax._src.tree_util.broadcast_prefix(prefix, full)


@many
@given(TREES, TREES)
def test_trees_that_do_not_fit(a, b):
    assert outcome(tree_util.tree_structure(a).flatten_up_to, b) == outcome(
        jax.tree_util.tree_structure(a).flatten_up_to, b
    )
    for name in ("map", "map_with_path"):
        ours, theirs = (outcome(getattr(m, name), lambda *xs: xs[-2:], a, b) for m in (tree, jax.tree))
        assert ours == theirs
    ours, theirs = (outcome(m.broadcast, a, b) for m in (tree, jax.tree))
    assert ours == theirs


MISFITS = [
    ([1, 2], [1], "tree 2 .*: expected a list of length 2, got a list of length 1"),
    ([1, 2], (1, 2), "expected a list of length 2, got a tuple of length 2"),
    (
        {"a": [1, (2,)]},
        {"a": [1, 2]},
        r"key path \['a'\]\[1\]: expected a tuple of length 1, got a leaf of type int",
    ),
    ({"a": 1, "b": 2}, {"a": 1, "c": 2}, r"missing \['b'\], surplus \['c'\]"),
    ([1, None], [1, 2], r"key path \[1\]: expected None.*is_leaf"),
    (Point(1, (2,)), Point(1, 3), r"key path \.y: expected a tuple"),
    (Point(1, 2), (1, 2), "expected a named tuple Point, got a tuple of length 2"),
    (Box([1], "l"), Box([1], "r"), "metadata l, got a Box with 1 children and metadata r"),
    (Layer(1, [2]), Layer(1, [2, 3]), r"key path \.bias"),
    (Box([1, [2]], 0), Box([1, 2], 0), "flat index 1"),
    (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=1, a=2), "order"),
]


@pytest.mark.parametrize("a, b, message", MISFITS)
def test_what_does_not_fit_is_named(a, b, message):
    with pytest.raises(ValueError, match=message):
        tree_util.tree_map(lambda x, y: x, a, b)
    with pytest.raises(ValueError):
        jax.tree_util.tree_map(lambda x, y: x, a, b)


def test_flatten_axes():
    value = tree_util.tree_structure(({"w": 1, "b": (2, 3)}, 4))
    assert tree_util.flatten_axes("vmap in_axes", value, (0, None)) == [0, 0, 0, None]
    assert tree_util.flatten_axes("vmap in_axes", value, ({"w": 1, "b": None}, 2)) == [None, None, 1, 2]
    assert tree_util.flatten_axes("vmap in_axes", value, None) == [None] * 4
    with pytest.raises(ValueError, match=r"vmap in_axes must be a tree prefix.*\(0, 1, 2\).*tuple of length 3"):
        tree_util.flatten_axes("vmap in_axes", value, (0, 1, 2))


# --------------------------------------------------------------------------- map, reduce, transpose


@many
@given(TREES)
def test_map_and_reduce(pytree):
    pytree = tree_util.tree_map(lambda x: str(x), pytree)
    assert tree.map(lambda x, y: x + y, pytree, pytree) == jax.tree.map(lambda x, y: x + y, pytree, pytree)
    for args in ((), ("start",)):
        ours, theirs = (outcome(m.reduce, lambda a, b: f"({a}+{b})", pytree, *args) for m in (tree, jax.tree))
        assert ours == theirs
    for kwargs in ({}, {"identity": "0"}):
        ours, theirs = (
            outcome(m.reduce_associative, lambda a, b: f"({a}+{b})", pytree, **kwargs) for m in (tree, jax.tree)
        )
        assert ours == theirs
    assert tree.all(pytree) == jax.tree.all(pytree)
    assert tree_util.all_leaves([pytree]) == jax.tree_util.all_leaves([pytree])


def test_reduce_accepts_none_as_the_initial_value():
    assert tree.reduce(lambda a, b: (a, b), [1], None) == jax.tree.reduce(lambda a, b: (a, b), [1], None)
    assert tree.reduce_associative(max, [], identity=None) is None


@pytest.mark.parametrize(
    "outer, inner, pytree",
    [
        ([1, 2], (1, 2), [(1, 2), (3, 4)]),
        ([1, 2], None, [(1, 2), (3, 4)]),
        ({"a": 1, "b": 2}, [1, [2]], {"a": [1, [2]], "b": [3, [4]]}),
        ([1, 2], None, [(1, 2), (3,)]),
        ([1, 2], (1, 2), [(1, 2), 3]),
        ([], [], []),
        ([1], [], [[]]),
    ],
)
def test_transpose(outer, inner, pytree):
    results = [
        outcome(
            library.tree_transpose,
            library.tree_structure(outer),
            inner if inner is None else library.tree_structure(inner),
            pytree,
        )
        for library in PAIR
    ]
    assert results[0] == results[1]


# --------------------------------------------------------------------------- dicts and keys


def test_keys_that_cannot_be_sorted():
    for library in PAIR:
        with pytest.raises(ValueError):
            library.tree_leaves({"a": 1, 2: 3})
    with pytest.raises(ValueError, match="sorted.*OrderedDict"):
        tree_util.tree_leaves({"a": 1, 2: 3})
    assert tree_util.tree_leaves(collections.OrderedDict([("a", 1), (2, 3)])) == [1, 3]


def test_key_entries_are_those_of_jax():
    for name, field in zip(ENTRIES, ("key", "idx", "name", "key"), strict=True):
        ours, theirs = (getattr(library, name) for library in PAIR)
        value = "a" if name in ("DictKey", "GetAttrKey") else 1
        assert repr(ours(value)) == repr(theirs(value)) and str(ours(value)) == str(theirs(value))
        assert getattr(ours(value), field) == getattr(theirs(value), field) == value
        assert ours(**{field: value}) == ours(value) and hash(ours(value)) == hash(ours(value))
        assert ours.__match_args__ == theirs.__match_args__
        assert pickle.loads(pickle.dumps(ours(value))) == ours(value)
    assert tree_util.SequenceKey(1) != tree_util.FlattenedIndexKey(1)
    assert tree_util.keystr((1, "b")) == jax.tree_util.keystr((1, "b"))


# --------------------------------------------------------------------------- registration


@pytest.mark.parametrize("library", PAIR, ids=["minijax", "jax"])
def test_wrong_registrations(library):
    with pytest.raises(ValueError, match="[Dd]uplicate"):
        library.register_pytree_node(Box, lambda x: ((), None), lambda aux, xs: None)
    with pytest.raises(ValueError, match="[Dd]uplicate"):
        library.register_pytree_node(list, lambda x: ((), None), lambda aux, xs: None)
    with pytest.raises(TypeError):
        library.register_pytree_node(Fresh, 1, 2)
    with pytest.raises(AttributeError):
        library.register_pytree_node_class(int)


class Fresh:
    """A class that nobody registers."""


def test_only_classes_can_be_registered():
    with pytest.raises(TypeError, match="classes"):
        tree_util.register_pytree_node(3, lambda x: ((), None), lambda aux, xs: None)


@pytest.mark.parametrize("library", PAIR, ids=["minijax", "jax"])
@pytest.mark.parametrize("result", [5, (5, None), (1, 2, 3)])
def test_flatten_functions_that_return_something_else(library, result):
    class Wrong:
        pass

    library.register_pytree_node(Wrong, lambda x: result, lambda aux, xs: None)
    with pytest.raises(ValueError, match="aux_data"):
        library.tree_flatten(Wrong())


@pytest.mark.parametrize("library", PAIR, ids=["minijax", "jax"])
def test_unhashable_metadata(library):
    class Loose:
        pass

    library.register_pytree_node(Loose, lambda x: ((), ["not hashable"]), lambda aux, xs: Loose())
    treedef = library.tree_structure([1, Loose()])
    assert hash(treedef) == hash(library.tree_structure([1, Loose()]))
    assert treedef == library.tree_structure([2, Loose()])


def make_dataclass():
    @dataclasses.dataclass
    class Model:
        a: int = 0
        b: int = 0
        cached: int = dataclasses.field(default=3, init=False)

    return Model


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"data_fields": ["a"], "meta_fields": ["b"]},
        {"data_fields": ["a"], "meta_fields": ["b", "cached"]},
        {"data_fields": ["a"]},
        {"data_fields": ["a"], "meta_fields": []},
        {"data_fields": ["a"], "meta_fields": ["b", "z"]},
        {"data_fields": ["a", "b"], "meta_fields": ["b"]},
        {"data_fields": ["a"], "meta_fields": [], "drop_fields": ["b"]},
    ],
)
def test_register_dataclass(arguments):
    results = []
    for library in PAIR:
        cls = make_dataclass()
        results.append(outcome(library.register_dataclass, cls, **arguments))
        if results[-1] is cls:
            paths, treedef = library.tree_flatten_with_path(cls(1, 2))
            rebuilt = library.tree_map(lambda x: x + 1, cls(1, 2))
            results[-1] = comparable(paths), repr(treedef), dataclasses.astuple(rebuilt)
    assert results[0] == results[1]


def test_register_dataclass_needs_fields_for_other_classes():
    for library in PAIR:
        with pytest.raises(TypeError, match="dataclass"):
            library.register_dataclass(Fresh)

        class Plain:
            def __init__(self, a, b):
                self.a, self.b = a, b

        library.register_dataclass(Plain, ["a"], ["b"])
        assert library.tree_leaves(Plain(1, 2)) == [1]
        with pytest.raises(ValueError, match="[Dd]uplicate"):
            library.register_dataclass(Plain, ["a"], ["b"])


def test_static_fields():
    for module, library in ((tree, tree_util), (jax.tree, jax.tree_util)):

        @library.register_dataclass
        @dataclasses.dataclass
        class Op:
            x: int
            op: str = module.static(default="add", metadata={"doc": "what to do"})

        assert library.tree_leaves(Op(1)) == [1]
        assert repr(library.tree_structure(Op(1))) == "PyTreeDef(CustomNode(Op[('add',)], [*]))"


@pytest.mark.parametrize("library", PAIR, ids=["minijax", "jax"])
def test_classes_with_keys(library):
    @library.register_pytree_with_keys_class
    class Both:
        def __init__(self, x):
            self.x = x

        def tree_flatten(self):
            return (self.x,), "by flatten"

        def tree_flatten_with_keys(self):
            return ((library.GetAttrKey("x"), self.x),), "by keys"

        @classmethod
        def tree_unflatten(cls, aux_data, children):
            return cls(*children)

    assert repr(library.tree_structure(Both(1))) == "PyTreeDef(CustomNode(Both[by flatten], [*]))"
    assert library.keystr(library.tree_leaves_with_path(Both(1))[0][0]) == ".x"


def test_subclasses_of_containers_are_leaves_but_those_of_named_tuples_are_not():
    class MyList(list):
        pass

    class MyPoint(Point):
        pass

    for library in PAIR:
        assert library.tree_leaves(MyList([1, 2])) == [[1, 2]]
        assert library.tree_leaves(MyPoint(1, 2)) == [1, 2]
        assert type(library.tree_map(lambda x: x, MyPoint(1, 2))) is MyPoint


# --------------------------------------------------------------------------- Partial


def test_partial():
    for library in PAIR:
        partial = library.Partial(max, 1, key=abs)
        assert library.tree_leaves(partial) == [1, abs]
        assert partial(-3) == -3 and isinstance(partial, functools.partial)
        rebuilt = library.tree_map(lambda x: x, partial)
        assert rebuilt(-3) == -3 and type(rebuilt) is library.Partial
        nested = library.Partial(library.Partial(max, 1), 2)
        assert library.tree_leaves(nested) == [2] and nested() == 2
        assert library.Partial(functools.partial(max, 1), 2)(5) == 5
    inner = functools.partial(max, 1)
    assert tree_util.tree_structure(tree_util.Partial(inner, 2)) == tree_util.tree_structure(
        tree_util.Partial(inner, 3)
    )
    ours, theirs = (repr(library.tree_structure(library.Partial(max, 1, k=2))) for library in PAIR)
    assert ours == theirs


# --------------------------------------------------------------------------- size and speed


def test_depth_is_no_limit():
    pytree = 1.0
    for _ in range(sys.getrecursionlimit() * 5):
        pytree = [pytree]
    leaves, treedef = tree_util.tree_flatten(pytree)
    assert leaves == [1.0] and treedef.num_nodes == sys.getrecursionlimit() * 5 + 1
    assert tree_util.tree_leaves(treedef.unflatten([2.0])) == [2.0]
    assert hash(treedef) == hash(tree_util.tree_structure(pytree)) and treedef == tree_util.tree_structure(pytree)
    assert repr(treedef).startswith("PyTreeDef([[[")
    while isinstance(pytree, list):  # taken apart here: Python's own deallocation and comparison recurse
        pytree = pytree[0]


def test_arrays_are_leaves_and_stay_the_same_objects():
    params = {"w": np.ones((3, 2)), "b": np.zeros(2)}
    leaves, treedef = tree_util.tree_flatten(params)
    assert leaves[0] is params["b"] and leaves[1] is params["w"]
    assert treedef.unflatten(leaves)["w"] is params["w"]
