"""After the page on gradient checkpointing: what is kept, what is computed anew, and who decides."""

import contextlib
import io
from functools import partial

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name, print_saved_residuals


def layer(W, x):
    return jnp.sin(jnp.dot(W, x))


def network(W1, W2, W3, x):
    x = layer(W1, x)
    x = layer(W2, x)
    return layer(W3, x)


W1, W2, W3 = jnp.ones((5, 4)) / 4, jnp.ones((6, 5)) / 5, jnp.ones((7, 6)) / 6
x = jnp.ones(4)
arguments = W1, W2, W3, x


def kept(f, *args):
    """What is kept, without places in files and without numbers."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        print_saved_residuals(f, *args)
    lines = [line.split(" from ")[0] if "argument" not in line else line for line in printed.getvalue().splitlines()]
    return sorted(line for line in lines if line.startswith("f32[") and not line.startswith("f32[]"))


def checkpointed_network(W1, W2, W3, x):
    x = jax.checkpoint(layer)(W1, x)
    x = jax.checkpoint(layer)(W2, x)
    return jax.checkpoint(layer)(W3, x)


def gradient(f):
    return jax.grad(lambda *args: f(*args).sum(), argnums=3)(*arguments)


for f in (network, checkpointed_network, jax.checkpoint(network)):
    print(*kept(f, *arguments), sep="\n", end="\n\n")
    print(gradient(f))

# The whole program, forward and backward.


@jax.checkpoint
def g(x):
    y = jax.lax.sin(x)
    return jax.lax.sin(y)


print(jax.value_and_grad(g)(2.0))
print(jax.make_jaxpr(jax.grad(g))(2.0))

# Policies.
policies = jax.checkpoint_policies
for policy in (policies.dots_with_no_batch_dims_saveable, policies.everything_saveable, policies.nothing_saveable):
    print(*kept(jax.checkpoint(network, policy=policy), *arguments), sep="\n", end="\n\n")


def named_network(W1, W2, W3, x):
    x = checkpoint_name(layer(W1, x), name="a")
    x = checkpoint_name(layer(W2, x), name="b")
    return checkpoint_name(layer(W3, x), name="c")


only = policies.save_only_these_names
for policy in (only("a"), only("a", "b"), policies.save_any_names_but_these("a"), only("nothing of this name")):
    f = jax.checkpoint(named_network, policy=policy)
    print(*kept(f, *arguments), sep="\n", end="\n\n")
    print(gradient(f))

# Checkpoints in checkpoints: memory grows with the logarithm of the depth.


def chain(functions):
    def f(x):
        for function in functions:
            x = function(x)
        return x

    return f


def recursive(functions):
    if len(functions) == 1:
        return functions[0]
    half = len(functions) // 2
    first, second = recursive(functions[:half]), recursive(functions[half:])
    return lambda x: second(jax.checkpoint(first)(x))


sines = [jnp.sin] * 8
for f in (chain(sines), recursive(sines)):
    print(len(kept(f, jnp.ones(3))), f(2.0), jax.grad(f)(2.0))

# Loops.


def losses(W, xs):
    step = partial(jax.checkpoint, policy=policies.dots_saveable, prevent_cse=False)(
        lambda c, x: (jnp.tanh(W @ c) + x, c.sum())
    )
    return jax.lax.scan(step, jnp.ones(3), xs)[1].sum()


print(jax.grad(losses)(jnp.eye(3) / 2, jnp.arange(6.0).reshape(2, 3)))
print(jax.jit(jax.grad(losses))(jnp.eye(3) / 2, jnp.arange(6.0).reshape(2, 3)))


# Values that the program depends on are static.
@partial(jax.checkpoint, static_argnums=(1,))
def scaled(x, training):
    return x * 2.0 if training else x


print(scaled(3.0, True), scaled(3.0, False), jax.grad(scaled)(3.0, True))
