"""Public names of JAX that minijax does not have: module -> {reason: names}; whole modules stand at the end.

A test fails when a name is neither here nor in minijax, and when a name here is stale. To add a
name to minijax, delete it here; a block that becomes empty may stay as `""` or go.
"""

ONE_DEVICE = "about many devices, their memories or their sharding: all devices are one CPU here"
COMING = "not there yet"
UNWRITTEN = "seldom used, and not written"
LEAKED = "an import of JAX's own file that shows through, not meant to be used"
RAGGED = "about ragged arrays"
ACCELERATORS = "about number formats of accelerators: JAX refuses it on the CPU"
REFERENCES = "about arrays that change in place (references), and gradients into them: arrays never change here"
SEPARATE = "a world of its own: other array types, kernels, formats or tools beside jax.numpy and jax.lax"
INTERNAL = "about the inside of JAX's runtime, which minijax does not share"

NAMES: dict[str, dict[str, str]] = {
    "": {
        ONE_DEVICE: """
            array_garbage_collection_guard auto_pcast copy_to_host_async host_count host_id host_ids
            live_arrays make_array_from_callback make_array_from_process_local_data
            make_array_from_single_device_arrays make_user_context memory
            remove_size_one_mesh_axis_from_type reshard set_mesh shard_map smap thread_guard transfer_guard
            transfer_guard_device_to_device transfer_guard_device_to_host transfer_guard_host_to_device
        """,
        INTERNAL: """
            jax2tf_associative_scan_reductions no_execution no_tracing
        """,
        REFERENCES: """
            Ref ad ds empty_ref free_ref freeze new_ref
        """,
    },
    "numpy": {},
    "lax": {
        INTERNAL: """
            device_put_p stage_p
        """,
        ONE_DEVICE: """
            after_all after_all_p create_token create_token_p pbroadcast pcast precv psend sharding_constraint_p
        """,
        RAGGED: """
            RaggedDotDimensionNumbers ragged_all_to_all ragged_all_to_all_p ragged_dot ragged_dot_general
        """,
        ACCELERATORS: """
            scaled_dot
        """,
    },
    "nn": {
        ACCELERATORS: """
            get_scaled_dot_general_config scaled_dot_general scaled_matmul
        """,
    },
    "random": {},
    "tree_util": {},
    "tree": {},
    "test_util": {},
    "errors": {},
    "dtypes": {},
    "core": {
        INTERNAL: """
            AbstractValue Atom ParamDict Value ensure_compile_time_eval eval_context eval_jaxpr max_dim min_dim
        """,
    },
    "numpy.linalg": {},
    "numpy.fft": {},
    "lax.linalg": {},
    "nn.initializers": {},
    "scipy": {},
    "scipy.special": {},
    "scipy.stats": {},
    "scipy.stats.bernoulli": {},
    "scipy.stats.beta": {},
    "scipy.stats.betabinom": {},
    "scipy.stats.binom": {},
    "scipy.stats.cauchy": {},
    "scipy.stats.chi2": {},
    "scipy.stats.dirichlet": {},
    "scipy.stats.expon": {},
    "scipy.stats.gamma": {},
    "scipy.stats.gennorm": {},
    "scipy.stats.geom": {},
    "scipy.stats.gumbel_l": {},
    "scipy.stats.gumbel_r": {},
    "scipy.stats.laplace": {},
    "scipy.stats.logistic": {},
    "scipy.stats.multinomial": {},
    "scipy.stats.multivariate_normal": {},
    "scipy.stats.nbinom": {},
    "scipy.stats.norm": {},
    "scipy.stats.pareto": {},
    "scipy.stats.poisson": {},
    "scipy.stats.t": {},
    "scipy.stats.truncnorm": {},
    "scipy.stats.uniform": {},
    "scipy.stats.vonmises": {},
    "scipy.stats.wrapcauchy": {},
    "scipy.linalg": {},
    "scipy.signal": {},
    "scipy.fft": {},
    "scipy.ndimage": {},
    "scipy.interpolate": {},
    "scipy.integrate": {},
    "scipy.optimize": {},
    "scipy.sparse": {},
    "scipy.sparse.linalg": {},
    "scipy.spatial.transform": {},
    "scipy.cluster.vq": {},
    "image": {},
    "ops": {},
    "flatten_util": {},
    "version": {},
    "typing": {},
    "example_libraries.stax": {},
    "example_libraries.optimizers": {
        LEAKED: """
            map namedtuple partial safe_map unzip2 zip
        """,
    },
    "custom_batching": {},
    "custom_derivatives": {},
    "debug": {},
    "sharding": {
        ONE_DEVICE: """
            AbstractDevice ManualAxisType auto_axes explicit_axes reshard set_mesh use_abstract_mesh
        """,
    },
    "dlpack": {},
    "stages": {
        INTERNAL: """
            ArgInfo CompilerOptions
        """,
    },
    "ad_checkpoint": {},
    "ref": {
        REFERENCES: """
            AbstractRef Ref addupdate empty_ref free_ref freeze get new_ref set swap
        """,
    },
    "experimental.checkify": {},
    "experimental.key_reuse": {},
    "experimental.mesh_utils": {
        ONE_DEVICE: """
            create_hybrid_device_mesh device_kind_handler_dict
        """,
    },
    "experimental": {
        INTERNAL: """
            EArray cur_qdd primal_tangent_dtype
        """,
    },
    "monitoring": {
        INTERNAL: """
            clear_event_listeners record_event record_event_duration_secs record_event_time_span record_scalar
            register_event_duration_secs_listener register_event_listener register_event_time_span_listener
            register_scalar_listener unregister_event_duration_listener unregister_event_listener
            unregister_event_time_span_listener unregister_scalar_listener
        """,
    },
    "profiler": {
        INTERNAL: """
            ProfileData ProfileEvent ProfileOptions ProfilePlane StepTraceAnnotation TraceAnnotation
            annotate_function device_memory_profile register_subprocess save_device_memory_profile start_server
            start_trace stop_server stop_trace trace
        """,
    },
}

# Attributes that concrete arrays of JAX have and ours have not.
ARRAYS: dict[str, str] = {
    ONE_DEVICE: """
        device_buffer device_buffers format
    """,
    INTERNAL: """
        traceback
    """,
}

# Modules without a counterpart here.
MODULES: dict[str, str] = {
    ONE_DEVICE: """
        cloud_tpu_init distributed experimental.colocated_python experimental.compute_on experimental.layout
        experimental.multihost_utils experimental.shard_alike experimental.shard_map experimental.topologies
        experimental.transfer experimental.array_serialization
    """,
    INTERNAL: """
        api_util collect_profile extend interpreters lib tools experimental.buffer_callback
        experimental.compilation_cache experimental.control_deps experimental.custom_partitioning experimental.fused
        experimental.hijax experimental.profiler experimental.roofline
        experimental.scheduling_groups experimental.serialize_executable experimental.source_mapper
        experimental.xla_metadata
    """,
    SEPARATE: """
        export ffi experimental.jax2tf experimental.jet experimental.mosaic experimental.ode
        experimental.pallas experimental.pjit experimental.random experimental.rnn experimental.sparse
    """,
}
