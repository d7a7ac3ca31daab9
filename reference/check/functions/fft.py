"""Calls of jax.numpy.fft."""

from __future__ import annotations

ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
TWO_AXES = ("fft2", "ifft2", "rfft2", "irfft2")
ALL_AXES = ("fftn", "ifftn", "rfftn", "irfftn")
# What a transform of real numbers only, or back to them, is given.
REAL = ("rfft", "ihfft", "rfft2", "rfftn")


def operand(name: str, text: str) -> str:
    """The operand of a transform: complex where it takes complex numbers."""
    return text if name in REAL else f"{text} * (1 - 0.5j)"


EXACT = [
    "jnp.fft.fftshift(x), jnp.fft.fftshift(m), jnp.fft.fftshift(m, 1), jnp.fft.fftshift(m, axes=(0, -1))",
    "jnp.fft.ifftshift(x[:5]), jnp.fft.ifftshift(m), jnp.fft.ifftshift(m, -1), jnp.fft.ifftshift(i)",
    "jnp.fft.fftfreq(8), jnp.fft.fftfreq(5, 0.5), jnp.fft.fftfreq(4, d=2, dtype='float16'), jnp.fft.fftfreq(1)",
    "jnp.fft.rfftfreq(8), jnp.fft.rfftfreq(5, 0.5), jnp.fft.rfftfreq(4, d=2, dtype='float16'), jnp.fft.rfftfreq(1)",
    "int(jax.lax.FftType.RFFT), list(map(int, jax.lax.FftType)), jax.lax.FftType.IRFFT.name",
]
SUMS = [
    *(f"jnp.fft.{name}({operand(name, 'x')})" for name in ONE_AXIS),
    *(f"jnp.fft.{name}({operand(name, 'm')}, axis=0, norm='ortho')" for name in ONE_AXIS),
    *(f"jnp.fft.{name}({operand(name, 'm')})" for name in (*TWO_AXES, *ALL_AXES)),
    "jnp.fft.fft(i), jnp.fft.fft(b), jnp.fft.fft(x.astype('float16')), jnp.fft.rfft(i8)",
    "jax.lax.fft(m, 'fft', (3,)), jax.lax.fft(x, 'RFFT', (8,)), jax.lax.fft(x, jax.lax.FftType.IRFFT, (14,))",
    "jax.lax.fft(x, 'fft', ())",
]
MORE_SUMS = [
    *(f"jnp.fft.{name}({operand(name, 'x')}, n={n})" for name in ONE_AXIS for n in (3, 8, 11)),
    *(f"jnp.fft.{name}({operand(name, 'x')}, norm={n!r})" for name in ONE_AXIS for n in ("forward", "backward")),
    *(f"jnp.fft.{name}({operand(name, 'm')}, s=(3, 4), axes=(1, 0))" for name in (*TWO_AXES, *ALL_AXES)),
    *(f"jnp.fft.{name}({operand(name, 'm')}, s=(4,), norm='forward')" for name in ALL_AXES),
    *(f"jnp.fft.{name}({operand(name, 'jnp.stack([m, m * m])')}, axes=(0, 2), norm='ortho')" for name in ALL_AXES),
    *(f"jnp.fft.{name}({operand(name, 'jnp.stack([m, m * m])')}, axes=(0, 2))" for name in TWO_AXES),
    *(f"jnp.fft.{name}({operand(name, 'jnp.arange(96.0).reshape(2, 3, 2, 4, 2)')})" for name in ALL_AXES),
    *(f"jnp.fft.{name}({operand(name, 'jnp.arange(48.0).reshape(2, 3, 2, 4)')})" for name in ALL_AXES),
    "jnp.fft.fft(empty), jnp.fft.fftn(s), jnp.fft.fftn(m, axes=()), jnp.fft.fft(x, axis=None)",
    "jnp.fft.fft(w * jnp.ones(3)), jnp.fft.rfft(jnp.ones(3) * w), jnp.fft.irfft(x, 8) * 1j",
    "jnp.fft.irfft(jnp.fft.rfft(x)), jnp.fft.ifft(jnp.fft.fft(x)), jnp.fft.hfft(jnp.fft.ihfft(x))",
]
SMOOTH = [
    "jnp.abs(jnp.fft.fft(v))",
    "jnp.fft.irfft(jnp.fft.rfft(v, 4) ** 2)",
]
MORE_SMOOTH = [
    "jnp.fft.ifft(v * (1 + 2j)).real ** 2",
    "jnp.abs(jnp.fft.rfft(v, 5)) ** 2",
    "jnp.fft.irfft(v * (1 - 1j), 5) ** 2",
    "jnp.fft.hfft(v * 1j) ** 2 + jnp.abs(jnp.fft.ihfft(v)).sum()",
    "jnp.abs(jnp.fft.fft2(jnp.outer(v, v))) ** 2",
    "jnp.abs(jnp.fft.rfftn(jnp.outer(v, v), norm='ortho')) ** 2",
]
REFUSED = [
    "jnp.fft.fft([1.0, 2.0])",
    "jnp.fft.fft(x, norm='nonsense')",
    "jnp.fft.fft(x, n=0)",
    "jnp.fft.fft(x, n=2.5)",
    "jnp.fft.fft(m, axis=(0, 1))",
    "jnp.fft.fft(m, axis=2)",
    "jnp.fft.rfft(x * 1j)",
    "jnp.fft.fftn(m, s=(1, 2), axes=(0,))",
    "jnp.fft.fftn(m, axes=(0, 0))",
    "jnp.fft.fft2(m, axes=(0,))",
    "jnp.fft.fft2(x)",
    "jnp.fft.hfft(m, axis=[0])",
    "jnp.fft.fftfreq([4])",
    "jnp.fft.rfftfreq(4, [0.5])",
    "jax.lax.fft(x, 'nonsense', (8,))",
    "jax.lax.fft(x, 0, (8,))",
    "jax.lax.fft(x, 'fft', (7,))",
    "jax.lax.fft(x, 'fft', (1, 8))",
    "jax.lax.fft(x * 1j, 'rfft', (8,))",
    "jax.lax.fft(x.astype('float16'), 'rfft', (8,))",
]
