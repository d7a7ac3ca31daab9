"""Element types: which ones there are, what they are called, and of what kind they are.

A dtype is NumPy's `np.dtype`, with one exception: arrays of typed random keys have the
extended dtype `key_fry`. `dtypes.py` goes on from here: canonical dtypes, promotion.

bfloat16 and the floats and integers of fewer than eight bits take part when `ml_dtypes` is
installed; that is looked up only when somebody asks for one of them, never at import.
"""

import functools
from typing import Any

import numpy as np

# --------------------------------------------------------------------------- extended dtypes


class extended(np.generic):
    """Scalar class above all extended dtypes; it exists for `issubdtype` and has no instances."""


class prng_key(extended):
    """Scalar class of random keys: `jnp.issubdtype(key.dtype, jax.dtypes.prng_key)` tells typed keys."""


class ExtendedDType:
    """A dtype that NumPy does not know. Its elements are stored as those of `physical`."""

    __slots__ = ("name", "physical", "type", "_global_name")

    def __init__(self, name: str, physical: np.dtype, scalar_type: type, global_name: str):
        self.name, self.physical, self.type, self._global_name = name, physical, scalar_type, global_name

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.physical.itemsize

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self._global_name  # each extended dtype is a module-level singleton


DType = np.dtype | ExtendedDType

# One Threefry key, two 32-bit words, is one element: a key array then has its logical shape,
# and reshape, transpose, gather ... need to know nothing about keys.
key_fry = ExtendedDType("key<fry>", np.dtype([("k0", "<u4"), ("k1", "<u4")]), prng_key, "key_fry")

# The tangent type of integers and booleans: a vector space of dimension zero, stored in zero bytes.
float0 = np.dtype([("float0", np.void, 0)])


def logical_dtype(physical: np.dtype) -> DType:
    """The dtype that users see for a buffer of this NumPy dtype."""
    return key_fry if physical == key_fry.physical else physical


def physical_dtype(dtype: DType) -> np.dtype:
    """The NumPy dtype of the buffer that stores this dtype."""
    return dtype.physical if isinstance(dtype, ExtendedDType) else np.dtype(dtype)


# What `ml_dtypes` adds to NumPy's dtypes, and their kinds. NumPy itself files nearly all of them under 'V'.
_NARROW_FLOATS = (
    *("float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "float8_e3m4", "float8_e4m3", "float8_e8m0fnu"),
    *("float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"),
)
_NARROW_INTEGERS = {"int1": "i", "int2": "i", "int4": "i", "uint1": "u", "uint2": "u", "uint4": "u"}
ADDED_KINDS = dict.fromkeys(("bfloat16", *_NARROW_FLOATS), "f") | _NARROW_INTEGERS


def added_type(name: str) -> type:
    """The scalar type of this name, such as bfloat16, from ml_dtypes; AttributeError when that is not installed."""
    try:
        import ml_dtypes
    except ImportError as error:
        raise AttributeError(f"{name} needs the package ml_dtypes: pip install ml_dtypes") from error
    return getattr(ml_dtypes, name)


# --------------------------------------------------------------------------- scalar types


class ScalarType(type):
    """The class of `jnp.float32` and its kin: calling one makes an Array of that dtype."""

    dtype: np.dtype

    # `minijax.numpy` puts its array constructor here, (value, dtype) -> Array; this module knows no arrays.
    make_array = None

    def __call__(cls, x: Any) -> Any:
        return ScalarType.make_array(x, cls.dtype)

    def __eq__(cls, other: object) -> bool:
        return cls is other or cls.dtype.type == other

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.dtype.type)


def _scalar_type(name: str, scalar_type: type | None = None) -> ScalarType:
    dtype = np.dtype(scalar_type or name)
    doc = f"A {name} scalar, as an Array of shape ()."
    return ScalarType(name, (), {"dtype": dtype, "__doc__": doc, "__module__": "minijax.numpy"})


@functools.cache
def added_scalar_type(name: str) -> ScalarType:
    """`jnp.bfloat16` and the like; AttributeError without ml_dtypes."""
    return _scalar_type(name, added_type(name))


bool_ = _scalar_type("bool")
int8 = _scalar_type("int8")
int16 = _scalar_type("int16")
int32 = _scalar_type("int32")
int64 = _scalar_type("int64")
uint8 = _scalar_type("uint8")
uint16 = _scalar_type("uint16")
uint32 = _scalar_type("uint32")
uint64 = _scalar_type("uint64")
float16 = _scalar_type("float16")
float32 = _scalar_type("float32")
float64 = _scalar_type("float64")
complex64 = _scalar_type("complex64")
complex128 = _scalar_type("complex128")

# --------------------------------------------------------------------------- kinds

_BOOL = np.dtype("bool")
_SIGNED = tuple(np.dtype(f"int{n}") for n in (8, 16, 32, 64))
_UNSIGNED = tuple(np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
_FLOATS = tuple(np.dtype(f"float{n}") for n in (16, 32, 64))
_COMPLEX = tuple(np.dtype(f"complex{n}") for n in (64, 128))
python_scalar_dtypes = {
    bool: _BOOL,
    int: np.dtype("int64"),
    float: np.dtype("float64"),
    complex: np.dtype("complex128"),
}

_KINDS = {dtype: dtype.kind for dtype in (_BOOL, *_SIGNED, *_UNSIGNED, *_FLOATS, *_COMPLEX)} | {
    float0: "V",
    key_fry: "V",
}


def kind(dtype: DType) -> str:
    """'b', 'i', 'u', 'f' or 'c' for the dtypes of numbers, 'V' for float0 and random keys.

    Raises TypeError for dtypes that cannot be those of an Array.
    """
    found = _KINDS.get(dtype)
    return _kind_of_other(dtype) if found is None else found


def _kind_of_other(dtype: DType) -> str:
    name = getattr(dtype, "name", None)
    if name in ADDED_KINDS:
        _KINDS[dtype] = ADDED_KINDS[name]
        return ADDED_KINDS[name]
    raise TypeError(
        f"An Array cannot have elements of dtype {dtype}, only booleans, integers, floats, complex numbers and random"
        " keys. Convert the values first, for example with np.asarray(values, np.float32)"
    )


def is_float(dtype: DType) -> bool:
    """Whether this is a type of real floating-point numbers."""
    return kind(dtype) == "f"


def is_complex(dtype: DType) -> bool:
    """Whether this is a type of complex numbers."""
    return kind(dtype) == "c"


def is_inexact(dtype: DType) -> bool:
    """Whether values of this dtype, real or complex, have derivatives."""
    return kind(dtype) in "fc"


def is_integer(dtype: DType) -> bool:
    """Whether this is a signed or unsigned integer type (bool is neither)."""
    return kind(dtype) in "iu"


def is_valid(dtype: DType) -> bool:
    """Whether an Array can have this dtype."""
    return dtype in _KINDS or getattr(dtype, "name", None) in ADDED_KINDS


def itemsize_bits(dtype: Any) -> int:
    """Bits of one element of a numeric dtype."""
    if dtype is None or isinstance(dtype, ExtendedDType) or not is_valid(np.dtype(dtype)):
        raise ValueError(f"itemsize_bits: {dtype!r} is not a numeric dtype; give one such as jnp.float32")
    dtype = np.dtype(dtype)
    # NumPy gives each element a byte, however few bits of it count.
    if dtype.name in ADDED_KINDS:
        return int((iinfo if dtype.name in _NARROW_INTEGERS else finfo)(dtype).bits)
    return dtype.itemsize * 8


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether `arg1` is at or below `arg2` in NumPy's type hierarchy, extended dtypes included."""
    return _issubdtype(_hashable(arg1), _hashable(arg2))


def _hashable(x: Any) -> Any:
    return x if isinstance(x, (type, np.dtype, ExtendedDType)) else np.dtype(x)


@functools.lru_cache(1024)
def _issubdtype(a: Any, b: Any) -> bool:
    if isinstance(b, ExtendedDType):
        return a is b
    a, b = _numpy_scalar_type(a), _numpy_scalar_type(b)
    classes = _CLASSES.get(ADDED_KINDS.get(a.__name__))
    return issubclass(a, b) if classes is None else b is a or b in classes


# Where the types of ml_dtypes belong in NumPy's hierarchy.
_CLASSES = {
    "f": (np.floating, np.inexact, np.number, np.generic),
    "i": (np.signedinteger, np.integer, np.number, np.generic),
    "u": (np.unsignedinteger, np.integer, np.number, np.generic),
}


def _numpy_scalar_type(x: Any) -> type:
    if isinstance(x, ExtendedDType):
        return x.type
    return x if isinstance(x, type) and issubclass(x, np.generic) else np.dtype(x).type


_KINDS_BY_NAME = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of the given kind, or of one of several kinds.

    `kind` is a name of the array API standard ('real floating', 'numeric' ...), a dtype, or a tuple of
    both. ValueError for an unknown name.
    """
    wanted = kind if isinstance(kind, tuple) else (kind,)
    return any(_is_of_kind(np.dtype(dtype), k) for k in wanted)


def _is_of_kind(the_dtype: np.dtype, wanted: Any) -> bool:
    if isinstance(wanted, str) and wanted in _KINDS_BY_NAME:
        return is_valid(the_dtype) and kind(the_dtype) in _KINDS_BY_NAME[wanted]
    try:
        return the_dtype == np.dtype(wanted)
    except TypeError as error:
        message = f"isdtype: kind={wanted!r} is neither a dtype nor one of {', '.join(_KINDS_BY_NAME)}"
        raise (ValueError if isinstance(wanted, str) else TypeError)(message) from error


def finfo(dtype: Any) -> Any:
    """Limits of a float type (eps, max, tiny ...), as `np.finfo` gives them; of complex ones those of the parts."""
    dtype = _without_python_types(dtype)
    return _added_limits("finfo", dtype) if _name_of_dtype(dtype) in ADDED_KINDS else np.finfo(dtype)


def iinfo(int_type: Any) -> Any:
    """Limits of an integer type (min, max, bits), as `np.iinfo` gives them."""
    int_type = _without_python_types(int_type)
    return _added_limits("iinfo", int_type) if _name_of_dtype(int_type) in ADDED_KINDS else np.iinfo(int_type)


def _name_of_dtype(x: Any) -> Any:
    found = getattr(x, "name", getattr(x, "__name__", x))
    return found if isinstance(found, str) else None


def _added_limits(function: str, dtype: Any) -> Any:
    import ml_dtypes

    return getattr(ml_dtypes, function)(dtype)


def _without_python_types(x: Any) -> Any:
    # NumPy's own reading of `int` depends on the platform; so does that of an array-like object on its dtype.
    return python_scalar_dtypes.get(x, x) if isinstance(x, type) else getattr(x, "dtype", x)


@functools.lru_cache(256)
def short_dtype_name(dtype: DType) -> str:
    """The name in jaxprs: f32, i32, u8, c64, bool, bf16, float0, key<fry>."""
    if dtype == float0:
        return "float0"
    name = dtype.name
    if isinstance(dtype, ExtendedDType):
        return name
    return name.replace("float", "f").replace("uint", "u").replace("int", "i").replace("complex", "c")
