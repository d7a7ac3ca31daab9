"""Public names of JAX that minijax does not have, by module; test_api_parity.py fails when one is stale."""

NAMES = {
    "": """
        NamedSharding P Ref Shard ad allow_f16_reductions array_garbage_collection_guard auto_pcast
        checkpoint_policies copy_to_host_async custom_gradient debug_key_reuse default_device ds
        effects_barrier empty_ref ensure_compile_time_eval explain_cache_misses free_ref freeze
        fwd_and_bwd host_count host_id host_ids jax2tf_associative_scan_reductions legacy_prng_key
        live_arrays make_array_from_callback make_array_from_process_local_data
        make_array_from_single_device_arrays make_mesh make_user_context memory named_scope new_ref
        no_execution no_tracing pmap print_environment_info process_indices pure_callback
        remove_size_one_mesh_axis_from_type reshard set_mesh shard_map smap softmax_custom_jvp
        thread_guard transfer_guard transfer_guard_device_to_device transfer_guard_device_to_host
        transfer_guard_host_to_device
    """,
    "numpy": """
        ComplexWarning angle bfloat16 cdouble complex128 complex64 complex_ convolve correlate
        csingle einsum_path float4_e2m1fn float6_e2m3fn float6_e3m2fn float8_e3m4 float8_e4m3
        float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu
        from_dlpack fromfile fromiter frompyfunc fromstring gcd i0 int1 int2 int4 kaiser lcm
        packbits poly polyder polydiv polyfit polyint polymul roots sort_complex ufunc
        uint1 uint2 uint4 unpackbits
    """,
    "lax": """
        ConvDimensionNumbers ConvGeneralDilatedDimensionNumbers DotAlgorithm FftType PrecisionLike
        RaggedDotDimensionNumbers RandomAlgorithm after_all after_all_p all_gather all_gather_p
        all_to_all all_to_all_p approx_max_k approx_min_k approx_top_k_p associative_scan axis_index
        axis_index_p axis_size bessel_i0e bessel_i0e_p bessel_i1e bessel_i1e_p betainc
        broadcast_like complex complex_p composite cond cond_p conj conj_p conv
        conv_dimension_numbers conv_general_dilated conv_general_dilated_local
        conv_general_dilated_p conv_general_dilated_patches conv_general_permutations
        conv_general_shape_tuple conv_shape_tuple conv_transpose conv_transpose_shape_tuple
        conv_with_general_padding create_token create_token_p custom_linear_solve custom_root
        dce_sink dce_sink_p device_put_p dtype fft fft_p fori_loop igamma igamma_grad_a
        igamma_grad_a_p igamma_p igammac igammac_p imag imag_p index_take linear_solve_p map mulhi
        mulhi_p padtype_to_pads pbroadcast pcast platform_dependent pmax pmax_p pmean pmin pmin_p
        ppermute ppermute_p precv psend pshuffle psum psum_p psum_scatter pswapaxes
        ragged_all_to_all ragged_all_to_all_p ragged_dot ragged_dot_general random_gamma_grad real
        real_p reduce reduce_p reduce_window reduce_window_max_p reduce_window_min_p reduce_window_p
        reduce_window_shape_tuple reduce_window_sum_p regularized_incomplete_beta_p
        rng_bit_generator rng_bit_generator_p rng_uniform rng_uniform_p scaled_dot scan scan_p
        select_and_gather_add_p select_and_scatter_add_p select_and_scatter_p shape_as_value
        sharding_constraint_p stage stage_p switch while_loop while_p with_sharding_constraint zeta
        zeta_p
    """,
    "nn": """
        get_scaled_dot_general_config scaled_dot_general scaled_matmul
    """,
    "random": """
        ball beta binomial chisquare dirichlet f gamma generalized_normal loggamma multinomial
        multivariate_normal orthogonal poisson random_gamma_p t
    """,
    "tree_util": "",
    "tree": "",
    "test_util": "",
    "errors": "",
    "dtypes": """
        bfloat16
    """,
    "core": """
        AbstractValue Atom ParamDict Value ensure_compile_time_eval eval_context eval_jaxpr max_dim
        min_dim
    """,
}
