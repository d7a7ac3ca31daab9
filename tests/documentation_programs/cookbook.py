"""After the autodiff cookbook: JVPs, VJPs, Jacobians, Hessians, complex numbers."""

import jax
import jax.numpy as jnp
from jax import grad, jacfwd, jacrev, jit, jvp, random, vjp, vmap

key = random.key(0)


def sigmoid(x):
    return 0.5 * (jnp.tanh(x / 2) + 1)


def predict(W, b, inputs):
    return sigmoid(jnp.dot(inputs, W) + b)


inputs = jnp.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
key, W_key, b_key, v_key = random.split(key, 4)
W, b = random.normal(W_key, (3,)), random.normal(b_key, ())


def f(W):
    return predict(W, b, inputs)


def basis(size):
    return jnp.eye(size)


J, K = jacfwd(f)(W), jacrev(f)(W)
print(J.shape, K, bool(jnp.allclose(J, K, atol=1e-6)))


def predict_dict(params, inputs):
    return predict(params["W"], params["b"], inputs)


J_dict = jacrev(predict_dict)({"W": W, "b": b}, inputs)
for k, v in J_dict.items():
    print(k, v)


def hessian(f):
    return jacfwd(jacrev(f))


H = hessian(f)(W)
print(H.shape, H[0])
v = random.normal(v_key, W.shape)
y, u = jvp(f, (W,), (v,))
print(y, u)
y, vjp_fun = vjp(f, W)
print(vjp_fun(jnp.ones_like(y)))


def vgrad(f, x):
    y, vjp_fn = vjp(f, x)
    return vjp_fn(jnp.ones(y.shape))[0]


print(vgrad(lambda x: 3 * x**2, jnp.ones((2, 2))))


def hvp(f, primals, tangents):
    return jvp(grad(f), primals, tangents)[1]


X = random.normal(key, (4, 3))
V = random.normal(v_key, (4, 3))


def summed(X):
    return jnp.sum(jnp.tanh(X) ** 2)


ans1 = hvp(summed, (X,), (V,))
ans2 = jnp.tensordot(hessian(summed)(X), V, 2)
print(ans1[0], bool(jnp.allclose(ans1, ans2, 1e-4, 1e-4)))


def our_jacrev(f):
    def jacfun(x):
        y, vjp_fun = vjp(f, x)
        (J,) = vmap(vjp_fun, in_axes=0)(basis(len(y)))
        return J

    return jacfun


def our_jacfwd(f):
    def jacfun(x):
        return vmap(lambda s: jvp(f, (x,), (s,))[1], in_axes=1, out_axes=1)(basis(len(x)))

    return jacfun


print(jit(our_jacrev(f))(W)[0], our_jacfwd(f)(W)[0])


# Complex numbers: vjp and grad conjugate as JAX's convention says.
def check(seed):
    keys = random.split(random.key(seed), 6)
    z = random.uniform(keys[0]) + 1j * random.uniform(keys[1])
    t = random.uniform(keys[2]) + 1j * random.uniform(keys[3])

    def fun(z):
        return z**2 + jnp.sin(z) * jnp.conj(z)

    _, out = jvp(fun, (z,), (t,))
    _, fun_vjp = vjp(fun, z)
    print(out, fun_vjp(t)[0])


check(0)
check(1)
print(grad(lambda z: jnp.real(z) ** 2 + jnp.imag(z) ** 2)(3.0 + 4j))
print(grad(jnp.sin, holomorphic=True)(3.0 + 4j), jnp.cos(3.0 + 4j))
print(jacfwd(lambda z: z**2, holomorphic=True)(jnp.array([1.0 + 1j, 2.0])))
A = jnp.array([[5.0, 2.0 + 3j, 5j], [2.0 - 3j, 7.0, 1.0 + 7j], [-5j, 1.0 - 7j, 12.0]])


def g(X):
    L = jnp.linalg.cholesky(X)
    return jnp.sum((L - jnp.sin(L)) ** 2)


print(jax.jit(lambda A: jnp.real(g(A @ A.conj().T + 3 * jnp.eye(3))))(A) > 0)
try:
    grad(lambda z: z * 2)(1j)
except TypeError:
    print("TypeError: grad of a complex output")
