"""Layers computed once more, by loops over NumPy arrays and straight from their definitions."""

import numpy as np
from scipy.special import expit, softmax


def pairs(padding, sizes, windows, strides):
    """Zeros before and after each axis for "SAME", "VALID" or given pairs."""
    if padding == "VALID":
        return [(0, 0) for _ in sizes]
    if padding != "SAME":
        return list(padding)
    missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, windows, strides, strict=True)]
    return [(m // 2, m - m // 2) for m in missing]


def patches(x, window, strides, padding, dilation, fill):
    """For each place of the output (an index) the inputs under the window, f[batch, *window, channels]."""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    around = pairs(padding, x.shape[1:-1], spans, strides)
    x = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=fill)
    counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    for place in np.ndindex(*counts):
        corner = [i * s for i, s in zip(place, strides, strict=True)]
        cuts = [slice(c, c + k, d) for c, k, d in zip(corner, spans, dilation, strict=True)]
        yield place, counts, x[(slice(None), *cuts)]


def conv(params, x, *, strides, padding, dilation, groups):
    w, b = params["w"], params["b"]
    window, outputs = w.shape[:-2], w.shape[-1]
    y = None
    for place, counts, patch in patches(x, window, strides, padding, dilation, 0.0):
        if y is None:
            y = np.zeros((len(x), *counts, outputs))
        for j in range(outputs):
            group = j * groups // outputs
            mine = patch[..., group * w.shape[-2] : (group + 1) * w.shape[-2]]
            y[(slice(None), *place, j)] = (mine * w[..., j]).sum(axis=tuple(range(1, mine.ndim))) + b[j]
    return y


def conv_transpose(params, x, *, strides, padding):
    w, b = params["w"], params["b"]
    window, turned = w.shape[:-2], np.flip(w, axis=range(w.ndim - 2))
    sizes = [(n - 1) * s + k for n, s, k in zip(x.shape[1:-1], strides, window, strict=True)]
    y = np.zeros((len(x), *sizes, w.shape[-1]))
    for place in np.ndindex(*x.shape[1:-1]):
        stroke = [slice(i * s, i * s + k) for i, s, k in zip(place, strides, window, strict=True)]
        y[(slice(None), *stroke)] += np.tensordot(x[(slice(None), *place)], turned, ([1], [w.ndim - 2]))
    wanted = [
        n * s if padding == "SAME" else (n - 1) * s + max(k, s) for n, s, k in zip(x.shape[1:-1], strides, window)
    ]
    for axis, (n, s, k) in enumerate(zip(wanted, strides, window, strict=True), start=1):
        # the padding of the convolution in a "SAME" one is k - 1 at most before the first input
        before = (k - 1) - (k - 1 if s > k - 1 else -(-(k + s - 2) // 2)) if padding == "SAME" else 0
        y = np.pad(y, [(0, max(0, before + n - y.shape[i])) if i == axis else (0, 0) for i in range(y.ndim)])
        y = np.take(y, range(before, before + n), axis=axis)
    return y + b


def pool(x, reduce, fill, *, window, strides, padding):
    y = None
    for place, counts, patch in patches(x, window, strides, padding, (1,) * len(window), fill):
        if y is None:
            y = np.zeros((len(x), *counts, x.shape[-1]))
        y[(slice(None), *place)] = reduce(patch, axis=tuple(range(1, patch.ndim - 1)))
    return y


def batch_norm(params, mean, var, x):
    return params["scale"] * (x - mean) / np.sqrt(var + 1e-5) + params["bias"]


def group_norm(params, x, groups):
    """Layer normalisation of a row is that of one place and one group."""
    y = np.zeros_like(x)
    size = x.shape[-1] // groups
    for i in range(len(x)):
        for g in range(groups):
            part = x[i, ..., g * size : (g + 1) * size]
            y[i, ..., g * size : (g + 1) * size] = (part - part.mean()) / np.sqrt(part.var() + 1e-5)
    return params["scale"] * y + params["bias"]


def simple_rnn_step(params, h, x):
    return (np.tanh(x @ params["wx"] + h[0] @ params["wh"] + params["b"]),)


def gru_step(params, h, x):
    wr, wz, wn = np.split(params["wx"], 3, axis=1)
    ur, uz, un = np.split(params["wh"], 3, axis=1)
    br, bz, bn = np.split(params["b"], 3)
    r = expit(x @ wr + h[0] @ ur + br)
    z = expit(x @ wz + h[0] @ uz + bz)
    n = np.tanh(x @ wn + bn + r * (h[0] @ un + params["bn"]))
    return ((1 - z) * n + z * h[0],)


def lstm_step(params, carry, x):
    i, f, g, o = np.split(x @ params["wx"] + carry[0] @ params["wh"] + params["b"], 4)
    c = expit(f) * carry[1] + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def recurrent(step, params, x, lengths, width, reverse):
    """Each example by itself, over as many steps as it has: outputs within the lengths, and the last carries."""
    units = params["wh"].shape[0]
    outputs, carries = [], []
    for row, length in zip(x, lengths, strict=True):
        carry, seen = (np.zeros(units),) * width, np.zeros((length, units))
        for t in reversed(range(length)) if reverse else range(length):
            carry = step(params, carry, row[t])
            seen[t] = carry[0]
        outputs.append(seen)
        carries.append(carry)
    return outputs, [np.stack(parts) for parts in zip(*carries, strict=True)]


def attention(params, x, heads, lengths, causal):
    """Each example and each query by itself, over the keys that it may look at."""
    size = x.shape[-1] // heads
    q, k, v = (x @ params[n]["w"] + params[n].get("b", 0) for n in ("query", "key", "value"))
    y = np.zeros_like(x)
    for i, length in enumerate(lengths):
        for t in range(x.shape[1]):
            seen = min(length, t + 1) if causal else length
            for h in range(heads):
                cut = slice(h * size, (h + 1) * size)
                weights = softmax(k[i, :seen, cut] @ q[i, t, cut] / np.sqrt(size))
                y[i, t, cut] = weights @ v[i, :seen, cut]
    return y @ params["out"]["w"] + params["out"]["b"]
