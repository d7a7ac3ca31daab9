"""What the training steps share: gradient descent and the loss of classifiers, as each contestant has them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engines import Array, Engine, Params
from .work import Work

__all__ = [
    "autograd_sgd",
    "by_hand_cross_entropy",
    "by_hand_sgd",
    "cross_entropy",
    "descent",
    "one_hot",
    "sgd",
    "torch_sgd",
]

RATE = 0.1  # of learning, in every step


def sgd(jax: Engine, loss: Callable[..., Array], params: Params, *batch: Array) -> tuple[Params, Array]:
    """One step down the gradient of `loss(params, *batch)`: new parameters, and the loss before."""
    value, grads = jax.value_and_grad(loss)(params, *batch)
    return jax.tree.map(lambda p, g: p - RATE * g, params, grads), value


def descent(
    arguments: tuple[Any, ...],
    loss: Callable[[Engine], Callable[..., Array]],
    autograd_loss: Callable[[Any], Callable[..., Any]],
    **others: Any,
) -> Work:
    """One step of gradient descent as a work, from its losses in terms of an engine and of autograd's NumPy.

    The first of the arguments are the parameters; `others` are the other fields of a Work.
    """
    return Work(
        arguments=arguments,
        function=lambda jax: lambda *given: sgd(jax, loss(jax), *given),
        autograd=lambda autograd: lambda *given: autograd_sgd(autograd, autograd_loss(autograd.numpy), *given),
        **others,
    )


def by_hand_sgd(params: Params, grads: Params) -> Params:
    """New parameters, from gradients in the same pytree of NumPy arrays."""
    if isinstance(params, dict):
        return {name: by_hand_sgd(params[name], grads[name]) for name in params}
    if isinstance(params, list):
        return [by_hand_sgd(p, g) for p, g in zip(params, grads, strict=True)]
    return params - RATE * grads


def autograd_sgd(autograd: Any, loss: Callable[..., Any], params: Params, *batch: Any) -> tuple[Params, Any]:
    """`sgd` with HIPS autograd; `params` is a list or a dict, perhaps of such."""
    value, grads = autograd.value_and_grad(loss)(params, *batch)
    return by_hand_sgd(params, grads), value


def torch_sgd(torch: Any, loss: Callable[..., Any], params: list[Any], *batch: Any) -> tuple[list[Any], Any]:
    """`sgd` with PyTorch; `params` are tensors that require a gradient."""
    value = loss(*batch)
    grads = torch.autograd.grad(value, params)
    with torch.no_grad():
        return [p - RATE * g for p, g in zip(params, grads, strict=True)], value.detach()


def by_hand_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean over the batch of -log softmax at the labels i[batch], and its derivative by the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    onehot = one_hot(labels, logits.shape[1])
    loss = -(onehot * (shifted - np.log(sums))).sum(axis=1).mean()
    return loss, (exponentials / sums - onehot) / len(logits)


def cross_entropy(numpy: Any, logits: Any, onehot: Any) -> Any:
    """The same with any module that has NumPy's names, for others to derive; `onehot` f[batch, classes]."""
    shifted = logits - numpy.max(logits, axis=1, keepdims=True)
    log_probabilities = shifted - numpy.log(numpy.sum(numpy.exp(shifted), axis=1, keepdims=True))
    return -numpy.mean(numpy.sum(onehot * log_probabilities, axis=1))


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """f[batch, classes] from i[batch]."""
    return np.eye(classes, dtype=np.float32)[labels]
