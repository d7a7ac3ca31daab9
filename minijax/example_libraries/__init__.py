"""jax.example_libraries: stax, small neural networks, and optimizers; import them by name."""
