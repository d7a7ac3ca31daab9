"""After the page on advanced differentiation: higher orders, stopping gradients, rules of one's own."""

import jax
import jax.numpy as jnp


def hessian(f):
    return jax.jacfwd(jax.grad(f))


print(hessian(lambda x: jnp.dot(x, x))(jnp.array([1.0, 2.0, 3.0])))


# A step of descent that is itself differentiated.
def meta_loss_fn(params, data):
    gradient = jax.grad(lambda p, d: jnp.sum((p * d - 1.0) ** 2))(params, data)
    return jnp.sum((params - 0.1 * gradient) ** 2)


print(jax.grad(meta_loss_fn)(jnp.array([0.5, -0.3]), jnp.array([1.0, 2.0])))

# Temporal differences: the target is a constant.
theta = jnp.array([0.1, -0.1, 0.0])
s_tm1, r_t, s_t = jnp.array([1.0, 2.0, -1.0]), jnp.array(1.0), jnp.array([2.0, 1.0, 0.0])


def value_fn(theta, state):
    return jnp.dot(theta, state)


def td_loss(theta, s_tm1, r_t, s_t):
    target = r_t + value_fn(theta, s_t)
    return -0.5 * ((jax.lax.stop_gradient(target) - value_fn(theta, s_tm1)) ** 2)


print(jax.grad(td_loss)(theta, s_tm1, r_t, s_t))


def straight_through_f(x):
    zero = x - jax.lax.stop_gradient(x)
    return zero + jax.lax.stop_gradient(jnp.round(x))


print(jax.grad(jnp.round)(3.2), straight_through_f(3.2), jax.grad(straight_through_f)(3.2))
batched = jnp.stack([s_tm1, s_t]), jnp.stack([r_t, r_t]), jnp.stack([s_t, s_tm1])
print(jax.jit(jax.vmap(jax.grad(td_loss), in_axes=(None, 0, 0, 0)))(theta, *batched))


def hvp(f, x, v):
    return jax.grad(lambda x: jnp.vdot(jax.grad(f)(x), v))(x)


def cube(x):
    return jnp.sum(x**3 + x[0] * x[1])


x, v = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 0.0, -1.0])
print(hvp(cube, x, v), jax.jvp(jax.grad(cube), (x,), (v,))[1], jax.hessian(cube)(x) @ v)

# custom_jvp: a derivative without overflow.


@jax.custom_jvp
def log1pexp(x):
    return jnp.log(1.0 + jnp.exp(x))


@log1pexp.defjvp
def log1pexp_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return log1pexp(x), (1 - 1 / (1 + jnp.exp(x))) * x_dot


print(jax.grad(log1pexp)(100.0), jax.jit(jax.grad(log1pexp))(100.0), jax.vmap(jax.grad(log1pexp))(jnp.arange(3.0)))


@jax.custom_jvp
def f(x, y):
    return x * y


f.defjvps(lambda x_dot, out, x, y: jnp.cos(x) * x_dot * y, None)
print(jax.grad(f, (0, 1))(2.0, 3.0))

# custom_vjp: clipping, and a fixed point differentiated by the implicit function theorem.


@jax.custom_vjp
def clip_gradient(lo, hi, x):
    return x


def clip_gradient_fwd(lo, hi, x):
    return x, (lo, hi)


def clip_gradient_bwd(res, g):
    lo, hi = res
    return None, None, jnp.clip(g, lo, hi)


clip_gradient.defvjp(clip_gradient_fwd, clip_gradient_bwd)
t = jnp.linspace(0, 10, 5)
print(jax.vmap(jax.grad(lambda x: jnp.sin(clip_gradient(-0.75, 0.75, x))))(t))


def fixed_point(f, a, x_guess):
    def cond_fun(carry):
        x_prev, x = carry
        return jnp.abs(x_prev - x) > 1e-6

    def body_fun(carry):
        _, x = carry
        return x, f(a, x)

    return jax.lax.while_loop(cond_fun, body_fun, (x_guess, f(a, x_guess)))[1]


def newton_sqrt(a):
    return implicit_fixed_point(lambda a, x: 0.5 * (x + a / x), a, a)


def _fixed_point_fwd(f, a, x_init):
    x_star = implicit_fixed_point(f, a, x_init)
    return x_star, (a, x_star)


def _fixed_point_rev(f, res, x_star_bar):
    a, x_star = res
    _, vjp_a = jax.vjp(lambda a: f(a, x_star), a)

    def rev_iter(packed, u):
        a, x_star, x_star_bar = packed
        _, vjp_x = jax.vjp(lambda x: f(a, x), x_star)
        return x_star_bar + vjp_x(u)[0]

    # The function itself again, so that the gradient has a gradient.
    (a_bar,) = vjp_a(implicit_fixed_point(rev_iter, (a, x_star, x_star_bar), x_star_bar))
    return a_bar, jnp.zeros_like(x_star)


implicit_fixed_point = jax.custom_vjp(fixed_point, nondiff_argnums=(0,))
implicit_fixed_point.defvjp(_fixed_point_fwd, _fixed_point_rev)
print(newton_sqrt(2.0), jax.grad(newton_sqrt)(2.0), jax.jit(jax.grad(jax.grad(lambda a: newton_sqrt(a) * a)))(2.0))
try:
    jax.jvp(clip_gradient, (-1.0, 1.0, 2.0), (0.0, 0.0, 1.0))
except TypeError:
    print("TypeError: forward mode of a custom_vjp function")
