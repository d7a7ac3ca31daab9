"""Images changed at random, so that no epoch sees the same ones: pure functions of a key, on either engine.

Each takes (jax, key, images) with images f[batch, height, width, channels] and returns the same shape and dtype;
every image of the batch gets a draw of its own.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from ..engines import Array, Engine, Params

__all__ = ["AUGMENTATIONS", "Augmentation", "augmented", "chain", "crop", "flip", "rotate"]

Augmentation = Callable[[Engine, Array, Array], Array]


def flip(jax: Engine, key: Array, images: Array) -> Array:
    """Half of the images mirrored, left to right."""
    mirrored = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
    return jax.numpy.where(mirrored, images[:, :, ::-1], images)


def crop(jax: Engine, key: Array, images: Array, *, margin: int = 4) -> Array:
    """Each image moved by up to `margin` pixels up or down and left or right; zeros come in from outside.

    It is a window of the old size, cut at random out of the image with a margin around it (He et al., 2015).
    """
    jnp = jax.numpy
    _, height, width, channels = images.shape
    wide = jnp.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    corners = jax.random.randint(key, (len(images), 2), 0, 2 * margin + 1)

    def cut(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), (height, width, channels))

    return jax.vmap(cut)(wide, corners)


def rotate(jax: Engine, key: Array, images: Array, *, degrees: float = 15.0) -> Array:
    """Each image turned about its middle by up to `degrees` either way, interpolated linearly; zeros outside."""
    jnp = jax.numpy
    count, height, width, _ = images.shape
    limit = math.radians(degrees)
    angles = jax.random.uniform(key, (count,), minval=-limit, maxval=limit)
    rows = jnp.arange(height, dtype=angles.dtype)[:, None] - (height - 1) / 2
    columns = jnp.arange(width, dtype=angles.dtype)[None, :] - (width - 1) / 2

    def turn(image: Array, angle: Array) -> Array:
        """For each pixel of the result the place it comes from, turned the other way."""
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        places = [
            cosine * rows - sine * columns + (height - 1) / 2,
            sine * rows + cosine * columns + (width - 1) / 2,
        ]
        plane = partial(jax.scipy.ndimage.map_coordinates, coordinates=places, order=1, mode="constant")
        return jax.vmap(plane, in_axes=-1, out_axes=-1)(image)

    return jax.vmap(turn)(images, angles).astype(images.dtype)


def chain(*augmentations: Augmentation) -> Augmentation:
    """One after the other, each with a key of its own."""

    def chained(jax: Engine, key: Array, images: Array) -> Array:
        for number, augmentation in enumerate(augmentations):
            images = augmentation(jax, jax.random.fold_in(key, number), images)
        return images

    return chained


def augmented(objective: Callable, augmentation: Augmentation) -> Callable:
    """An objective of training (see `training/step.py`) whose x are changed anew in each step.

    In evaluation they stay as they are.
    """

    def changed(jax: Engine, params: Params, model_state: Any, batch: Any, key: Array, *, train: bool) -> Any:
        if train:
            own, key = jax.random.split(key)
            x, *others = batch
            batch = (augmentation(jax, own, x), *others)
        return objective(jax, params, model_state, batch, key, train=train)

    return changed


AUGMENTATIONS: dict[str, Augmentation] = {
    "flip": flip,
    "crop": crop,
    "rotate": rotate,
    "flip+crop": chain(flip, crop),
    "crop+rotate": chain(partial(crop, margin=2), rotate),
}
"""by the names that the commands know; crop+rotate is for digits, which must not be mirrored"""
