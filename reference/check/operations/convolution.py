"""Rows of convolutions."""

from __future__ import annotations

from typing import Any

from ..operation_row import Operand, Row, anything, integers, normal, parts, row

PRIMITIVE = "conv_general_dilated"


def conv(label: str, x: Operand, w: Operand, strides: Any = (1,), padding: Any = "VALID", **options: Any) -> Row:
    """`engine.lax.conv_general_dilated(x, w, strides, padding)`; options of the row end with an underscore."""
    kept = {name.rstrip("_"): options.pop(name) for name in list(options) if name.endswith("_")}
    numbers = options.pop("axes", None)

    def call(jax: Any, x: Any, w: Any) -> Any:
        named = jax.lax.ConvDimensionNumbers(*numbers) if numbers and not isinstance(numbers[0], str) else numbers
        return jax.lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=named, **options)

    exact = not x.is_float
    return row(PRIMITIVE, call, x, w, label=label, **{"ulp": 0 if exact else 8, "leafwise": not exact} | kept)


def small(dtype: str) -> tuple[Operand, Operand]:
    """Operands of one spatial axis."""
    draw = normal if dtype.startswith("float") else anything
    return draw(2, 3, 5, dtype=dtype), draw(4, 3, 2, dtype=dtype)


IMAGES = normal(2, 3, 5, 4), normal(4, 3, 3, 2)

ROWS: list[Row] = [
    conv("plain", *small("float32"), main_=True),
    conv("same", *IMAGES, (1, 1), "SAME", weak_=False),
    conv("same-lower", *IMAGES, (2, 3), "SAME_LOWER", weak_=False),
    conv("channels-last", normal(2, 5, 4, 3), normal(3, 2, 3, 4), (2, 1), "SAME", axes=("NHWC", "HWIO", "NHWC")),
    conv(
        "everything",
        normal(5, 2, 4, 3),
        normal(4, 2, 3, 2),
        (2, 1),
        [(1, -1), (2, 1)],
        lhs_dilation=(2, 1),
        rhs_dilation=(1, 2),
        axes=("HNCW", "IWHO", "WCNH"),
        main_=True,
        batched_ulp_=64,
    ),
    conv("axes", normal(5, 3, 2), normal(3, 4, 2), axes=((2, 1, 0), (1, 0, 2), (1, 2, 0)), weak_=False),
    conv("transposed", *IMAGES, (1, 1), [(2, 2), (1, 1)], lhs_dilation=(2, 3)),
    conv("atrous", *IMAGES, (1, 2), "SAME", rhs_dilation=(2, 2)),
    conv("feature-groups", normal(2, 4, 5), normal(6, 2, 3), (2,), "SAME", feature_group_count=2),
    conv("batch-groups", normal(4, 3, 5), normal(6, 3, 2), batch_group_count=2),
    conv("depthwise", normal(2, 3, 5), normal(6, 1, 3), feature_group_count=3),
    conv("fewer-outputs", normal(2, 8, 5), normal(2, 8, 3), padding=[(1, 2)]),
    conv("no-space", normal(2, 3), normal(4, 3), (), ()),
    conv("volume", normal(1, 2, 3, 4, 3), normal(2, 2, 2, 2, 2), (1, 2, 1), "SAME", weak_=False),
    conv("pointwise", normal(2, 3, 4, 4), normal(5, 3, 1, 1), (2, 2)),
    conv("pointwise-last", normal(2, 4, 3), normal(1, 3, 5), axes=("NHC", "HIO", "NHC")),
    conv("empty-batch", normal(0, 3, 5), normal(4, 3, 2)),
    conv("no-features", normal(2, 0, 5), normal(4, 0, 2), weak_=False),
    conv("no-outputs", normal(2, 3, 5), normal(0, 3, 2), weak_=False),
    conv("no-places", normal(2, 3, 1), normal(4, 3, 2), weak_=False),
    conv("large-window", normal(1, 2, 40), normal(3, 2, 39), padding=[(1, 1)], derived_ulp_=256),
    conv("complex", parts(-2, 2, 2, 4, 5), parts(-2, 2, 4, 2, 3), (2,), "SAME", feature_group_count=2),
    conv("precision", *small("float32"), precision=("highest", "default"), preferred_element_type="float32"),
    conv("preferred", *small("float16"), preferred_element_type="float32", derived_ulp_=512),
    conv("preferred", *small("int8"), preferred_element_type="int32"),
    conv("preferred-float", integers(-5, 5, 2, 3, 5), integers(-5, 5, 4, 3, 2), preferred_element_type="float32"),
    *(conv("dtype", *small(dtype)) for dtype in ("float16", "float64", "int32", "uint8")),
]
