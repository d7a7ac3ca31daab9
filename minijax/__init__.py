"""minijax: JAX that a student can read in an afternoon, on NumPy alone, under JAX's own names.

import minijax as jax
import minijax.numpy as jnp
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from minijax import config as config
from minijax import core as core
from minijax import custom_derivatives as custom_derivatives
from minijax import dtypes as dtypes
from minijax import errors as errors
from minijax import lax as lax
from minijax import numpy as numpy
from minijax import sharding as sharding
from minijax import tree_util as tree_util
from minijax import version as _version
from minijax.api import disable_jit as disable_jit
from minijax.api import eval_shape as eval_shape
from minijax.api import jit as jit
from minijax.api import make_jaxpr as make_jaxpr
from minijax.api import named_call as named_call
from minijax.api import typeof as typeof
from minijax.array import Array as Array
from minijax.autodiff import grad as grad
from minijax.autodiff import hessian as hessian
from minijax.autodiff import jacfwd as jacfwd
from minijax.autodiff import jacobian as jacobian
from minijax.autodiff import jacrev as jacrev
from minijax.autodiff import jvp as jvp
from minijax.autodiff import linear_transpose as linear_transpose
from minijax.autodiff import linearize as linearize
from minijax.autodiff import value_and_grad as value_and_grad
from minijax.autodiff import vjp as vjp
from minijax.caches import clear_caches as clear_caches
from minijax.config import allow_f16_reductions as allow_f16_reductions
from minijax.config import check_tracer_leaks as check_tracer_leaks
from minijax.config import checking_leaks as checking_leaks
from minijax.config import debug_infs as debug_infs
from minijax.config import debug_key_reuse as debug_key_reuse
from minijax.config import debug_nans as debug_nans
from minijax.config import default_device as default_device
from minijax.config import default_matmul_precision as default_matmul_precision
from minijax.config import default_prng_impl as default_prng_impl
from minijax.config import enable_checks as enable_checks
from minijax.config import enable_custom_prng as enable_custom_prng
from minijax.config import enable_x64 as enable_x64
from minijax.config import explain_cache_misses as explain_cache_misses
from minijax.config import legacy_prng_key as legacy_prng_key
from minijax.config import log_compiles as log_compiles
from minijax.config import numpy_dtype_promotion as numpy_dtype_promotion
from minijax.config import numpy_rank_promotion as numpy_rank_promotion
from minijax.config import softmax_custom_jvp as softmax_custom_jvp
from minijax.config import threefry_partitionable as threefry_partitionable
from minijax.custom_derivatives import closure_convert as closure_convert
from minijax.custom_derivatives import custom_gradient as custom_gradient
from minijax.custom_derivatives import custom_jvp as custom_jvp
from minijax.custom_derivatives import custom_vjp as custom_vjp
from minijax.devices import Device as Device
from minijax.devices import block_until_ready as block_until_ready
from minijax.devices import default_backend as default_backend
from minijax.devices import device_count as device_count
from minijax.devices import device_get as device_get
from minijax.devices import devices as devices
from minijax.devices import effects_barrier as effects_barrier
from minijax.devices import local_device_count as local_device_count
from minijax.devices import local_devices as local_devices
from minijax.devices import make_mesh as make_mesh
from minijax.devices import print_environment_info as print_environment_info
from minijax.devices import process_count as process_count
from minijax.devices import process_index as process_index
from minijax.devices import process_indices as process_indices
from minijax.dtypes import float0 as float0
from minijax.later import later as _later
from minijax.placement import Shard as Shard
from minijax.placement import device_put as device_put
from minijax.shape_struct import ShapeDtypeStruct as ShapeDtypeStruct
from minijax.sharding import NamedSharding as NamedSharding
from minijax.sharding import PartitionSpec as P  # noqa: F401
from minijax.vmapping import vmap as vmap

__version__ = _version.own_version

# What many programs do without is imported when they first ask for it.
__getattr__, __dir__ = _later(
    __name__,
    modules="custom_batching debug dlpack flatten_util image nn ops random scipy stages tree typing",
    names={
        "minijax.ad_checkpoint": "checkpoint checkpoint_policies remat",
        "minijax.callbacks": "pure_callback",
        "minijax.contexts": "ensure_compile_time_eval named_scope",
        "minijax.drop_in": "install_as_jax",
        "minijax.forward_backward": "fwd_and_bwd",
        "minijax.pmapping": "pmap",
    },
)

if _TYPE_CHECKING:
    from minijax import custom_batching as custom_batching
    from minijax import debug as debug
    from minijax import dlpack as dlpack
    from minijax import flatten_util as flatten_util
    from minijax import image as image
    from minijax import nn as nn
    from minijax import ops as ops
    from minijax import random as random
    from minijax import scipy as scipy
    from minijax import stages as stages
    from minijax import tree as tree
    from minijax import typing as typing
    from minijax.ad_checkpoint import checkpoint as checkpoint
    from minijax.ad_checkpoint import checkpoint_policies as checkpoint_policies
    from minijax.ad_checkpoint import remat as remat
    from minijax.callbacks import pure_callback as pure_callback
    from minijax.contexts import ensure_compile_time_eval as ensure_compile_time_eval
    from minijax.contexts import named_scope as named_scope
    from minijax.drop_in import install_as_jax as install_as_jax
    from minijax.forward_backward import fwd_and_bwd as fwd_and_bwd
    from minijax.pmapping import pmap as pmap
