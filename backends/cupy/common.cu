// Shared by all CUDA sources in this folder, which are compiled as one text, this one first.
//
// Every pointer is to a C-contiguous array. No kernel waits for the host, and none adds with atomics, so the
// same arguments give the same bits.
//
// A step of a small network is bound by the number and latency of kernel launches, not by arithmetic. So there
// are two ways to run it. Large products go to cuBLAS, and one kernel does everything between two of them in a
// single pass. For small products, one kernel computes the product and the operations before and after it: one
// launch per layer and direction.

typedef long long int64;
typedef unsigned long long uint64;
typedef unsigned char byte;

// A loop over `size` items by all threads of the grid. Few of them go around twice, so unrolling it would only
// take registers, and time to compile.
#define EACH(i, size)                                                                            \
    _Pragma("unroll 1") for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < (size); \
                             i += gridDim.x * (int64)blockDim.x)

const unsigned WARP = 0xffffffffu;  // mask of all 32 threads
const int THREADS = 256;            // per block, unless a kernel says otherwise
