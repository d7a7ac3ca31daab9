"""Calls of jax.scipy.spatial.transform: rotations in all forms, and steps between them."""

from __future__ import annotations

__all__ = ["CLOSE", "EXACT", "MORE_CLOSE", "MORE_REFUSED", "MORE_ROUGH", "MORE_SMOOTH", "REFUSED", "ROUGH", "SMOOTH"]

ONE, MANY = "tf.Rotation.from_quat(sq5[0, :4])", "tf.Rotation.from_quat(sq5[:, :4])"
SLERP = f"tf.Slerp.init([0, 1, 2.5, 3, 5], {MANY})"

EXACT = f"""
tf.Rotation.identity().quat, tf.Rotation.identity(dtype='float16').quat, {ONE}.single, {MANY}.single, len({MANY})
tf.Rotation(sq5[:, :4]).as_quat(canonical=True, scalar_first=True), tf.Rotation(-sq5[0, :4]).as_quat(True)
tf.Rotation(jnp.array([[0., 0, -1, 0], [0, -2, 1, 0], [-1, 1, 1, 0], [0, 0, 0, 0], [1, 2, 3, -4]])).as_quat(True)
tf.Rotation(sq5[:, :4]).inv().quat, tf.Rotation(sq5[:, :4])[1:3].quat, tf.Rotation(sq5[:, :4])[2].as_quat()
tf.Rotation.concatenate([tf.Rotation(sq5[:, :4]), tf.Rotation(sq5[1:2, :4])]).quat
""".strip().splitlines()

CLOSE = f"""
({ONE} * {MANY}).quat
tf.Rotation.from_euler('z', 90, degrees=True).quat
""".strip().splitlines()

ROUGH = f"""
{ONE}.apply(m), {MANY}.apply(tall, inverse=True)
{SLERP}.timedelta, {SLERP}.rotvecs
""".strip().splitlines()

AXES = [a + b + c for a in "xyz" for b in "xyz" for c in "xyz" if a != b != c]

EULER = [seq for axes in AXES for seq in (axes, axes.upper())]

MORE_CLOSE = (
    f"""
{MANY}.quat, tf.Rotation.from_quat([0, 0, 3, 4]).quat, tf.Rotation.from_quat(-sq5[:, :4]).as_quat(True)
{ONE}.as_matrix(), tf.Rotation(jnp.array([0, 0, 0, 1])).as_matrix()
tf.Rotation.from_rotvec(90 * m, degrees=True).quat, tf.Rotation.from_rotvec(0 * row).quat
tf.Rotation.from_mrp(m).quat, {MANY}.as_mrp(), {MANY}.magnitude()
tf.Rotation.from_euler('zx', jnp.array([[90, 30], [0, 45]]), degrees=True).quat
{ONE}.quat, {MANY}.as_matrix(), tf.Rotation.from_mrp(row).quat, {ONE}.as_mrp(), {ONE}.magnitude()
tf.Rotation.from_rotvec(row).quat, tf.Rotation.from_rotvec(m).quat, tf.Rotation.from_rotvec([0, 0, 2]).quat
tf.Rotation.from_rotvec(1e-4 * m).quat, tf.Rotation.from_rotvec(m / 3).magnitude(), tf.Rotation.identity().magnitude()
({ONE} * {ONE}).quat, ({MANY} * {ONE}.inv()).quat
tf.Rotation.from_euler('Y', s).quat, tf.Rotation.from_euler('xyz', row).quat
""".strip().splitlines()
    + [f"tf.Rotation.from_euler({seq!r}, tall).quat" for seq in EULER]
)

MORE_ROUGH = (
    f"""
{MANY}.as_rotvec(degrees=True), tf.Rotation.from_rotvec(1e-4 * m).as_rotvec()
tf.Rotation.from_matrix({MANY}.as_matrix()).quat
{MANY}.as_euler('xyz', degrees=True)
{ONE}.as_rotvec(), {MANY}.as_rotvec(), {MANY}.mean().as_matrix()
{ONE}.apply(row), {MANY}.apply(row), {MANY}.apply(tall), {ONE}.apply([1, 2, 3]), {ONE}.apply(row, inverse=True)
tf.Rotation.from_matrix({ONE}.as_matrix()).quat
tf.Rotation.from_matrix(jnp.eye(3)).quat, tf.Rotation.from_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]]).quat
[tf.Rotation.from_matrix(jnp.diag(jnp.roll(jnp.array([1., -1., -1.]), i))).quat for i in range(3)]
{ONE}.as_euler('xyz'), tf.Rotation.identity().as_euler('ZXZ'), tf.Rotation.identity().as_euler('xyz')
{MANY}.mean([1, 2, 3, 4, 5]).as_matrix()
{SLERP}(1.7).quat, {SLERP}.times, {SLERP}.rotations.quat
{SLERP}([0.0, 0.5, 2.5, 4, 6, -1]).quat
""".strip().splitlines()
    + [f"{MANY}.as_euler({seq!r})" for seq in EULER]
)

SMOOTH = """
tf.Rotation.from_rotvec(v).as_matrix()
""".strip().splitlines()

MORE_SMOOTH = """
tf.Rotation.from_euler('xyz', v).quat
tf.Rotation.from_rotvec(v).as_euler('ZXZ')
tf.Slerp.init([0, 1, 2.5, 3, 5], tf.Rotation.from_quat(sq5[:, :4] + v[0]))(1 + v).quat
tf.Rotation.from_mrp(v).as_rotvec()
tf.Rotation.from_rotvec(v).as_mrp()
tf.Rotation.from_euler('ZY', v[:2]).apply(v)
tf.Rotation.from_euler('zyx', v).apply(row, inverse=True)
tf.Rotation.from_rotvec(v).as_euler('xyz')
tf.Rotation.from_matrix(tf.Rotation.from_rotvec(3 * v).as_matrix()).quat
tf.Rotation.from_quat(jnp.append(v, -0.5)).magnitude()
tf.Rotation.from_quat(jnp.append(v, 0.5)).inv().quat
(tf.Rotation.from_rotvec(v) * tf.Rotation.from_mrp(v)).quat
tf.Rotation.from_quat(sq5[:, :4] + v[0]).mean().as_matrix()
""".strip().splitlines()

REFUSED = """
tf.Rotation.from_euler('xyzx', row)
tf.Rotation.from_euler('xX', row[:2])
tf.Rotation.from_euler('yy', row[:2])
tf.Rotation.from_euler('z', row)
tf.Rotation.identity().as_euler('xy')
tf.Rotation.identity()[0]
tf.Slerp.init([0, 1], tf.Rotation.from_quat(sq5[:, :4]))
""".strip().splitlines()

MORE_REFUSED = """
tf.Rotation.from_euler('', row)
tf.Rotation.from_euler('a', s)
tf.Rotation.identity().as_euler('xxy')
tf.Rotation.identity().as_euler('xYz')
tf.Rotation.identity(3)
tf.Rotation.random(jax.random.key(0))
len(tf.Rotation.identity())
tf.Rotation.from_quat(sq5[:, :4]).mean(row)
tf.Rotation.from_quat(sq5[:, :4]).mean(sq5)
tf.Slerp.init([0], tf.Rotation.identity())
tf.Slerp.init([0], tf.Rotation.from_quat(sq5[:1, :4]))
tf.Slerp.init(sq5, tf.Rotation.from_quat(sq5[:, :4]))
tf.Slerp.init([0, 1], sq5)
tf.Slerp.init([0, 1, 2, 3, 4], tf.Rotation.from_quat(sq5[:, :4]))(m)
""".strip().splitlines()
