// Enough of CUDA to run our kernels on a CPU, one block after the other, so `__shared__` may be `static`;
// they come in a random order, as a GPU promises none. How the threads of a block run is in cuda_turns.h.
// For ThreadSanitizer, which looks for races of real threads, and without glibc it is in cuda_threads.h.
#pragma once
#undef _FORTIFY_SOURCE  // it takes a jump to another stack for a fault
#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)

struct Index {
    unsigned x = 1, y = 1, z = 1;
};
inline Index blockDim, gridDim, blockIdx;
inline Index thread_index(unsigned t) {
    return {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
}

inline float normcdff(float x) { return (float)(0.5 * std::erfc(-x * std::numbers::sqrt2 / 2)); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }

// As long as it lives subnormal numbers count as 0, as with -ftz=true, which CuPy compiles with.
struct NoSubnormals {
#ifdef __SSE2__
    unsigned before = _mm_getcsr();
    NoSubnormals() { _mm_setcsr(before | 0x8040); }
    ~NoSubnormals() { _mm_setcsr(before); }
#endif
};

inline unsigned order_seed;          // of the blocks
inline bool order_reversed = false;  // the same order from its end
extern "C" inline __attribute__((used)) void set_order(unsigned seed, int reversed) {
    order_seed = seed;
    order_reversed = reversed;
}
inline std::vector<unsigned> blocks_in_order() {
    std::vector<unsigned> order(gridDim.x);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(order_seed));
    if (order_reversed) std::reverse(order.begin(), order.end());
    return order;
}

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#include "cuda_turns.h"
#else
#include "cuda_threads.h"
#endif
