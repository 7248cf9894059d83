"""How steps and answers are computed: by NumPy, which is the definition, or by compiled kernels."""
