"""jax._src: private in JAX, and so no part of minijax's promise. Here is what JAX's own example libraries import."""
