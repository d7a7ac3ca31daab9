"""Holding minijax against JAX, operation by operation and function by function.

The tables say what is called, the checks what is compared, and the oracle when two results are the same.
"""
