"""After the page on pytrees: maps, custom nodes, key paths, transposition, None."""

import collections
import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp

example_trees = [
    [1, "a", object],
    (1, (2, 3), ()),
    [1, {"k1": 2, "k2": (3, 4)}, 5],
    {"a": 2, "b": (2, 3)},
    collections.OrderedDict(b=1, a=2),
    jnp.array([1, 2, 3]),
]
for pytree in example_trees[1:]:
    leaves = jax.tree.leaves(pytree)
    print(f"{pytree!r:<50} has {len(leaves)} leaves: {leaves}")
print(len(jax.tree.leaves(example_trees[0])))

list_of_lists = [[1, 2, 3], [1, 2], [1, 2, 3, 4]]
print(jax.tree.map(lambda x: x * 2, list_of_lists))
print(jax.tree.map(lambda x, y: x + y, list_of_lists, list_of_lists))
print(jax.tree.reduce(lambda a, b: a + b, list_of_lists), jax.tree.all({"a": True, "b": (1, 0)}))


# An MLP whose parameters are a pytree.
def init_mlp_params(layer_widths):
    params, keys = [], jax.random.split(jax.random.key(0), len(layer_widths))
    for n_in, n_out, key in zip(layer_widths[:-1], layer_widths[1:], keys[1:]):
        params.append(
            {"weights": jax.random.normal(key, (n_in, n_out)) * jnp.sqrt(2 / n_in), "biases": jnp.ones(shape=(n_out,))}
        )
    return params


params = init_mlp_params([1, 32, 32, 1])
print(jax.tree.map(lambda x: x.shape, params))


def forward(params, x):
    *hidden, last = params
    for layer in hidden:
        x = jax.nn.relu(x @ layer["weights"] + layer["biases"])
    return x @ last["weights"] + last["biases"]


@jax.jit
def update(params, x, y):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((forward(p, x) - y) ** 2))(params)
    return loss, jax.tree.map(lambda p, g: p - 0.0001 * g, params, grads)


xs = jnp.linspace(-1, 1, 32)[:, None]
for _ in range(20):
    loss, params = update(params, xs, xs**2)
print(loss)


@jax.tree_util.register_pytree_node_class
class Special:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def tree_flatten(self):
        return (self.x, self.y), None

    @classmethod
    def tree_unflatten(cls, aux_data, children):
        return cls(*children)

    def __repr__(self):
        return f"Special(x={self.x}, y={self.y})"


print(jax.tree.map(lambda x: x + 1, [Special(0, 1), Special(2, 4)]))
print(jax.grad(lambda s: s.x * s.y)(Special(2.0, 3.0)))


@functools.partial(jax.tree_util.register_dataclass, data_fields=["a", "b"], meta_fields=["name"])
@dataclass
class MyDataclassContainer:
    name: str
    a: object
    b: object


@jax.jit
def f(t):
    return t.a + t.b if t.name == "apple" else t.a - t.b


print(f(MyDataclassContainer("apple", 1, 2)), f(MyDataclassContainer("banana", 1, 2)))


class RegisteredSpecial(Special):
    def __repr__(self):
        return f"RegisteredSpecial(x={self.x}, y={self.y})"


jax.tree_util.register_pytree_with_keys(
    RegisteredSpecial,
    lambda s: (((jax.tree_util.GetAttrKey("x"), s.x), (jax.tree_util.GetAttrKey("y"), s.y)), None),
    lambda aux, children: RegisteredSpecial(*children),
)
ATuple = collections.namedtuple("ATuple", ("name",))
tree = [1, {"k1": 2, "k2": (3, 4)}, ATuple("foo"), RegisteredSpecial(5, 6)]
for key_path, value in jax.tree_util.tree_flatten_with_path(tree)[0]:
    print(f"value of tree{jax.tree_util.keystr(key_path)}: {value}", key_path)
print(jax.tree_util.tree_map_with_path(lambda path, x: f"{jax.tree_util.keystr(path)}={x}", {"a": (1, 2)}))

print(jax.tree.leaves([None, None, None]), jax.tree.leaves([None, 1], is_leaf=lambda x: x is None))
shapes = {"a": (2, 3), "b": (4,)}
print(jax.tree.map(jnp.ones, shapes, is_leaf=lambda x: isinstance(x, tuple))["b"])
episode_steps = [{"t": 1, "obs": 3}, {"t": 2, "obs": 4}]
print(jax.tree.map(lambda *xs: list(xs), *episode_steps))
print(jax.tree.transpose(jax.tree.structure([0, 0]), jax.tree.structure({"t": 0, "obs": 0}), episode_steps))
for wrong in (lambda: jax.tree.map(jnp.add, [1, 2], [1, 2, 3]), lambda: jax.tree.map(jnp.add, (1,), [1])):
    try:
        wrong()
    except ValueError:
        print("ValueError")
