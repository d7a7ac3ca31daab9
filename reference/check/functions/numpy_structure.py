"""Calls of jax.numpy's functions that arrange, index, join, sort and contract arrays."""

from __future__ import annotations

__all__ = ["EXACT", "REFUSED", "SUMS"]

EXACT = """
jnp.append(x, m), jnp.append(m, m, axis=0), jnp.concat([x, y]), jnp.concatenate([m, m], axis=1), jnp.stack([x, y])
jnp.stack([x, i8[:1].astype('float32') + x], axis=1), jnp.vstack([x, y]), jnp.hstack([m, m]), jnp.dstack([m, m])
jnp.column_stack([x, y]), jnp.block([[m, m], [m, m]]), jnp.concatenate([x, i])
jnp.split(x, 4), jnp.split(m, [1], axis=1), jnp.array_split(x, 3), jnp.hsplit(m, 3), jnp.vsplit(m, 2), jnp.unstack(m)
jnp.dsplit(m[None], 3)
jnp.apply_along_axis(jnp.sort, 0, m), jnp.apply_over_axes(jnp.sum, m, (0, 1)), jnp.vectorize(lambda p, q: p + q)(m, row)
jnp.piecewise(x, [x < 0, x > 1], [-1, 1, 0])
jnp.sort(i), jnp.sort(m, axis=0, descending=True), jnp.argsort(i), jnp.sort(special), jnp.partition(x, 3)[3]
jnp.argpartition(x, 3)[3], jnp.lexsort((i, j)), jnp.searchsorted(jnp.sort(x), y), jnp.digitize(y, jnp.sort(x))
jnp.where(m > 0), jnp.nonzero(i), jnp.argwhere(m), jnp.flatnonzero(i, size=3, fill_value=-1), jnp.nonzero(m, size=9)
jnp.bincount(abs(i)), jnp.bincount(abs(i), weights=y[:5], length=4)
jnp.diag_indices(3), jnp.diag_indices_from(m[:, :2]), jnp.ix_(i, j), jnp.mask_indices(3, jnp.triu)
jnp.tril_indices(3), jnp.triu_indices(3, 1), jnp.tril_indices_from(m), jnp.triu_indices_from(m)
jnp.ravel_multi_index((i[2:], j[2:]), (9, 9), mode='clip'), jnp.unravel_index(abs(i), (2, 4))
jnp.astype(x, int), jnp.atleast_1d(s), jnp.atleast_2d(x), jnp.atleast_3d(m), jnp.broadcast_arrays(m, row)
jnp.broadcast_shapes((2, 1), (3,)), jnp.broadcast_to(row, (2, 3)), jnp.expand_dims(m, (0, 2)), jnp.matrix_transpose(m)
jnp.moveaxis(m, 0, 1), jnp.ndim(m), jnp.permute_dims(m, (1, 0)), jnp.ravel(m, 'F'), jnp.reshape(m, (3, -1), order='F')
jnp.rollaxis(m, 1), jnp.shape(m), jnp.size(m), jnp.size(m, 1), jnp.squeeze(m[None]), jnp.swapaxes(m, 0, 1)
jnp.transpose(m), jnp.transpose(m[None], (2, 0, 1))
jnp.choose(abs(i[1:4]), [row, row, 2 * row], mode='clip'), jnp.compress(b, x[:3]), jnp.extract(b, row)
jnp.place(row, b, 7, inplace=False), jnp.put(x, jnp.array([0, 9]), 5, inplace=False), jnp.take(x, i), jnp.take(m, 1, 1)
jnp.put_along_axis(m, jnp.array([[0], [1]]), 9, 1, inplace=False), jnp.take(x, abs(i), mode='clip')
jnp.take_along_axis(m, jnp.argsort(m, axis=1), axis=1)
jnp.delete(x, 2), jnp.delete(m, jnp.array([0, 2]), axis=1), jnp.insert(x, 1, 9.0), jnp.trim_zeros(i[2:4])
jnp.diag(row), jnp.diag(m, 1), jnp.diagflat(m), jnp.diagonal(m, 1), jnp.fill_diagonal(m, 5.0, inplace=False)
jnp.diff(x), jnp.diff(m, axis=0, n=1), jnp.diff(x, prepend=0), jnp.ediff1d(x), jnp.gradient(x)
jnp.flip(m), jnp.fliplr(m), jnp.flipud(m), jnp.repeat(x, 2), jnp.repeat(m, jnp.array([1, 2]), axis=0)
jnp.resize(x, (3, 4)), jnp.roll(x, 2), jnp.roll(m, (1, -1), (0, 1)), jnp.rot90(m), jnp.tile(m, (2, 1))
jnp.intersect1d(i, j), jnp.isin(i, j), jnp.setdiff1d(i, j), jnp.setxor1d(i, j), jnp.union1d(i, j), jnp.unique(i)
jnp.unique(abs(i), return_counts=True, return_inverse=True), jnp.unique_values(i)
list(jnp.unique_all(i)), list(jnp.unique_counts(i)), list(jnp.unique_inverse(i))
jnp.pad(x, 2), jnp.pad(m, ((1, 0), (0, 2)), constant_values=3)
jnp.pad(x, 3, mode='reflect'), jnp.pad(x, 1, mode='edge')
jnp.diagonal(jnp.full((2, 2), 1.5))
jnp.polyadd(x, row), jnp.polysub(row, x), jnp.einsum_path('ij,kj,kl->il', m, m, m)[0]
""".strip().splitlines()

SUMS = """
jnp.dot(x, y), jnp.dot(m, m.T), jnp.inner(m, m), jnp.outer(x, y), jnp.matmul(m, m.T), jnp.kron(m, row), jnp.vdot(x, y)
jnp.tensordot(m, m, axes=2), jnp.cross(row, 2 * row + 1), jnp.vecdot(m, m), jnp.matvec(m, row), jnp.vecmat(row, m.T)
jnp.einsum('ij,kj->ik', m, m), jnp.einsum('ii', m[:, :2]), jnp.trace(m), jnp.trace(m, offset=1)
jnp.histogram(x, bins=4), jnp.histogram_bin_edges(x, 3), jnp.histogram2d(x, y, bins=2), jnp.histogramdd(m.T, bins=2)
jnp.cov(m), jnp.corrcoef(m), jnp.interp(y, jnp.sort(x), x), jnp.trapezoid(x), jnp.trapezoid(x, y), jnp.unwrap(y * 5)
jnp.polyval(row, x)
""".strip().splitlines()

REFUSED = """
jnp.concatenate(x[0])
jnp.concatenate([])
jnp.stack([x, m])
jnp.reshape(x, (3, -1))
jnp.transpose(m, (0, 0))
jnp.squeeze(m, 0)
jnp.expand_dims(m, 5)
jnp.moveaxis(m, 0, 3)
jnp.broadcast_to(x, (3,))
jnp.split(x, 3)
jnp.sort([1])
jnp.take(x, 0.5)
jnp.take([1], 0)
jnp.nonzero(s)
jnp.dot(x, row)
jnp.matmul(m, m)
jnp.einsum('ij,jk', m, m)
jnp.diagonal(x)
jnp.pad(x, -1)
x[0.5]
x['a']
x[[0, 1]]
x[0, 0]
""".strip().splitlines()
