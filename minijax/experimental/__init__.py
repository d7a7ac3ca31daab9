"""jax.experimental: of what JAX tries out, what programs for one device import. Import its modules by name."""
