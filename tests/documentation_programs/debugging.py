"""After the pages on printing, breakpoints and debugging flags."""

import io
import logging

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def f(x):
    jax.debug.print("x is {x}, twice {}", x * 2, x=x, ordered=True)
    y = jnp.sin(x)
    jax.debug.print("y: {y:.3f}, {name}", y=y, name="sine", ordered=True)
    return y


print(f(2.0))
xs = jnp.arange(3.0)


def g(x):
    jax.debug.print("g of {}", x, ordered=True)
    return x * x


print(jax.vmap(g)(xs), lax.map(g, xs), jax.grad(g)(1.0), jax.jvp(g, (1.0,), (1.0,)))
print(jax.grad(jax.checkpoint(lambda x: g(g(x))))(2.0))


@jax.custom_vjp
def shows_gradient(x):
    return x


shows_gradient.defvjp(lambda x: (x, None), lambda _, ct: (jax.debug.print("cotangent {}", ct) or ct,))
print(jax.grad(lambda x: shows_gradient(x * 3.0) ** 2)(2.0))


def loop(x):
    def body(c, i):
        lax.cond(i % 2 == 0, lambda: jax.debug.print("even {i}: {c}", i=i, c=c, ordered=True), lambda: None)
        return c + i, c

    return lax.scan(body, x, jnp.arange(4))


print(jax.jit(loop)(10))
print(lax.while_loop(lambda c: c < 3, lambda c: jax.debug.print("while {}", c, ordered=True) or c + 1, 0))
for wrong in (lambda: jax.debug.print("{}"), lambda: jax.debug.print("x", 1), lambda: jax.debug.print("{x}", y=1)):
    try:
        wrong()
    except (IndexError, KeyError, ValueError) as error:
        print(type(error).__name__)

out = io.StringIO()


@jax.jit
def stops(x, y):
    z = x + y
    jax.debug.breakpoint(stdin=io.StringIO("p x\np z * 2\nmissing\nc\n"), stdout=out, num_frames=1)
    return z


print(stops(1.0, jnp.ones(2)))
jax.effects_barrier()
print(out.getvalue())


def halves(x, y):
    return x / y


for jitted in (halves, jax.jit(halves)):
    with jax.debug_nans(True):
        try:
            jitted(jnp.zeros(()), jnp.zeros(()))
        except FloatingPointError as error:
            print(type(error).__name__, "div" in str(error))
jax.config.update("jax_debug_infs", True)
try:
    jax.jit(lambda x: jnp.exp(x))(1000.0)
except FloatingPointError as error:
    print(type(error).__name__, "exp" in str(error))
jax.config.update("jax_debug_infs", False)


@jax.jit
def decides(x):
    print("this is a", type(x).__name__ if jax.config.jax_disable_jit else "tracer")
    return x


decides(1)
with jax.disable_jit():
    print(jax.jit(lambda x: "big" if x > 3 else "small")(5))
    print(lax.scan(lambda c, x: (c + x if x > 0 else c, c), 0.0, xs))

kept = []
with jax.checking_leaks():
    try:
        jax.jit(lambda x: kept.append(x) or x)(1.0)
    except Exception as error:
        print(type(error).__name__, "leaked" in str(error).lower())

records = []
handler = logging.Handler()
handler.emit = lambda record: records.append(record.getMessage())
logging.getLogger("jax").addHandler(handler)
logging.getLogger("jax").propagate = False
with jax.log_compiles(True):
    jax.jit(halves)(1.0, 2.0)
logging.getLogger("jax").removeHandler(handler)
logging.getLogger("jax").propagate = True
print(sum("Finished tracing halves" in r for r in records), sum("Compiling jit(halves)" in r for r in records))


def scoped(x):
    with jax.named_scope("first"):
        y = x * 2
    return jax.named_scope("second")(jnp.sin)(y)


print(jax.make_jaxpr(scoped)(1.0).pretty_print(name_stack=True))
print([str(eqn.source_info.name_stack) for eqn in jax.make_jaxpr(jax.vmap(scoped))(xs).eqns])


@jax.jit
def early(x):
    with jax.ensure_compile_time_eval():
        total = jnp.arange(4).sum()
        factor = 2 if total > 5 else 3
    return x * factor


print(early(1.0))
