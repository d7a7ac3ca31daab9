"""After the page on automatic differentiation: grad, pytrees, value_and_grad, checks."""

import jax
import jax.numpy as jnp
from jax import grad
from jax.test_util import check_grads

grad_tanh = grad(jnp.tanh)
print(grad_tanh(2.0), grad(grad(jnp.tanh))(2.0), grad(grad(grad(jnp.tanh)))(2.0))


def f(x):
    return x**3 + 2 * x**2 - 3 * x + 1


dfdx = jax.grad(f)
d2fdx = jax.grad(dfdx)
d3fdx = jax.grad(d2fdx)
d4fdx = jax.grad(d3fdx)
print(dfdx(1.0), d2fdx(1.0), d3fdx(1.0), d4fdx(1.0))


def sigmoid(x):
    return 0.5 * (jnp.tanh(x / 2) + 1)


def predict(W, b, inputs):
    return sigmoid(jnp.dot(inputs, W) + b)


inputs = jnp.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
targets = jnp.array([True, True, False, True])


def loss(W, b):
    preds = predict(W, b, inputs)
    label_probs = preds * targets + (1 - preds) * (1 - targets)
    return -jnp.sum(jnp.log(label_probs))


key, W_key, b_key = jax.random.split(jax.random.key(0), 3)
W = jax.random.normal(W_key, (3,))
b = jax.random.normal(b_key, ())
print(W, b)
print(grad(loss, argnums=0)(W, b), grad(loss)(W, b), grad(loss, 1)(W, b), grad(loss, (0, 1))(W, b))


def loss2(params_dict):
    preds = predict(params_dict["W"], params_dict["b"], inputs)
    label_probs = preds * targets + (1 - preds) * (1 - targets)
    return -jnp.sum(jnp.log(label_probs))


print(grad(loss2)({"W": W, "b": b}))
print(jax.value_and_grad(loss, (0, 1))(W, b))

eps = 1e-2
b_grad_numerical = (loss(W, b + eps / 2.0) - loss(W, b - eps / 2.0)) / eps
print(bool(jnp.abs(b_grad_numerical - grad(loss, 1)(W, b)) < 1e-3))
vec = jax.random.normal(key, W.shape)
unitvec = vec / jnp.sqrt(jnp.vdot(vec, vec))
W_grad_numerical = (loss(W + eps / 2.0 * unitvec, b) - loss(W - eps / 2.0 * unitvec, b)) / eps
print(bool(jnp.abs(W_grad_numerical - jnp.vdot(grad(loss)(W, b), unitvec)) < 1e-3))
check_grads(loss, (W, b), order=2, atol=0.05, rtol=0.05)

for wrong in (lambda: grad(lambda x: x)(jnp.arange(3.0)), lambda: grad(lambda x: x)(3)):
    try:
        wrong()
    except TypeError:
        print("TypeError")
print(jax.grad(lambda x: (x**2, {"kept": 2 * x}), has_aux=True)(3.0))
