"""Calls of jax.image and jax.scipy.ndimage: interpolation."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_SMOOTH", "MORE_SUMS", "REFUSED", "SMOOTH", "SUMS"]

METHODS = ("linear", "lanczos3", "lanczos5", "cubic", "cubic-pytorch", "area")
MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _resized(image: str, shape: str, antialias: bool) -> list[str]:
    return [f"jax.image.resize({image}, {shape}, '{method}', antialias={antialias})" for method in METHODS]


def _moved(shape: str, scale: str, translation: str, antialias: bool) -> list[str]:
    arguments = f"{shape}, (0, 1), jnp.array({scale}), jnp.array({translation})"
    return [f"jax.image.scale_and_translate(m, {arguments}, '{name}', antialias={antialias})" for name in METHODS]


def _coordinates(array: str, order: int) -> list[str]:
    places = "[jnp.linspace(-3.3, 4.7, 9), jnp.linspace(5.2, -2.9, 9)]"
    return [f"jax.scipy.ndimage.map_coordinates({array}, {places}, {order}, '{mode}', cval=7)" for mode in MODES]


EXACT = [
    *[f"jax.image.resize({image}, (5, 2), 'nearest')" for image in ("m", "nans", "m > 0")],
    "jax.image.resize(jnp.arange(7), (3,), 'nearest'), jax.image.resize(i8, (13,), jax.image.ResizeMethod.NEAREST)",
    "jax.image.resize(m, (2, 3), 'linear'), jax.image.resize(x, (8,), 'cubic')",
    *["jax.image.ResizeMethod.from_string('trilinear').value, len(jax.image.ResizeMethod)"],
    *_coordinates("jnp.arange(6).reshape(2, 3)", 0),
    *_coordinates("m", 0)[:2],
]

CLOSE = [
    "jax.scipy.ndimage.map_coordinates(x, [y], 1), jax.scipy.ndimage.map_coordinates(x, [y + 6], 1, cval=-1.0)",
    "jax.scipy.ndimage.map_coordinates(i, [y], 1, 'nearest'), jax.scipy.ndimage.map_coordinates(h, [y], 1)",
    "jax.scipy.ndimage.map_coordinates(x, [i], 1, 'wrap'), jax.scipy.ndimage.map_coordinates(x, [[1, 2]], 0)",
    "jax.scipy.ndimage.map_coordinates(nans, [s, s], 1), jax.scipy.ndimage.map_coordinates(m, [m, m], 1)",
]

SUMS = [
    *_resized("m", "(5, 7)", True),
    *_coordinates("m", 1),
    "jax.image.resize(i, (3,), 'linear'), jax.image.resize(h, (9,), 'cubic')",
    "jax.image.resize(m[None, :, :, None], (1, 4, 2, 1), 'bilinear', precision='high')",
    "jax.image.resize(m, (0, 3), 'linear'), jax.image.resize(m[:1], (1, 5), jax.image.ResizeMethod.AREA)",
    "jax.image.scale_and_translate(m, (2, 3), (), jnp.array([]), jnp.array([]), 'linear')",
    "jax.image.scale_and_translate(m, (2, 4), (-1,), jnp.array([2.0]), jnp.array([0.5]), 'triangle')",
]

MORE_SUMS = [
    *_resized("jnp.outer(x, y)", "(3, 11)", False),
    *_resized("jnp.outer(x, y)", "(3, 4)", True),
    *_resized("m", "(2, 2)", False),
    *_resized("jnp.linspace(0, 1, 1000)", "(77,)", True),
    *_resized("jnp.linspace(0, 1, 77)", "(1000,)", True),
    *_moved("(4, 5)", "[1.7, 0.6]", "[0.3, -0.8]", True),
    *_moved("(3, 3)", "[0.4, 2.5]", "[-1.0, 1.25]", False),
    *_moved("(3, 3)", "[1, 1]", "[0, 1]", True),
]

SMOOTH = [
    "jax.image.resize(m * v, (3, 4), 'linear')",
]

MORE_SMOOTH = [
    *[f"jax.image.resize(m * v, (3, 4), '{method}')" for method in (*METHODS[1:], "nearest")],
    "jax.scipy.ndimage.map_coordinates(jnp.outer(v, row), [v * 2, v * 3 - 1], 1)",
    "jax.image.scale_and_translate(m, (3, 4), (0, 1), v[:2] + 0.8, v[1:], 'linear', antialias=False)",
    "jax.image.scale_and_translate(m * v, (3, 4), (0, 1), v[:2] + 0.8, v[1:], 'cubic')",
    "jax.image.scale_and_translate(m * v, (3, 4), (1,), v[:1] + 0.8, v[1:2], 'lanczos3')",
    "jax.scipy.ndimage.map_coordinates(x * v[0], [v * 5], 1, 'reflect')",
]

REFUSED = """
jax.image.resize(m, (3,), 'linear')
jax.image.resize(m, (3, 3), 'some')
jax.image.resize([1.0], (3,), 'linear')
jax.image.ResizeMethod.from_string('some')
jax.image.scale_and_translate(m, (3,), (0,), row[:1], row[:1], 'linear')
jax.image.scale_and_translate(m, (3, 3), (0, 1), row[:2], row[:2], 'nearest')
jax.image.scale_and_translate(m, (3, 3), (0, 2), row[:2], row[:2], 'linear')
jax.scipy.ndimage.map_coordinates(m, [x], 1)
jax.scipy.ndimage.map_coordinates(x, [y], 2)
jax.scipy.ndimage.map_coordinates(x, [y], 1, 'some')
""".strip().splitlines()
