// Sums and maxima over the threads of a block or a warp, in a fixed order.

// The sum of `value` over those threads whose number differs by a multiple of `width`; every thread gets that of
// its own group. A block has 32 to 1024 threads, and `width` divides it; both are powers of 2. All threads call it.
__device__ float sum_in_block(float value, int width) {
    __shared__ float sums[1024];
    int thread = threadIdx.x;
    sums[thread] = value;
    __syncthreads();
    for (int half = blockDim.x / 2; half >= width; half /= 2) {
        if (thread < half) sums[thread] += sums[thread + half];
        __syncthreads();
    }
    float total = sums[thread % width];
    __syncthreads();  // the next sum overwrites them
    return total;
}

// The same over the 32 threads of a warp.
__device__ float sum_in_warp(float value) {
    for (int other = 16; other; other /= 2) value += __shfl_xor_sync(WARP, value, other);
    return value;
}

__device__ float largest_in_warp(float value) {
    for (int other = 16; other; other /= 2) value = fmaxf(value, __shfl_xor_sync(WARP, value, other));
    return value;
}

// The row of this thread, where each warp of the grid takes one.
__device__ int64 row_of_warp() { return (blockIdx.x * (int64)blockDim.x + threadIdx.x) / 32; }
