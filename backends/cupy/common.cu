// What all CUDA sources here share; they are compiled as one text, this one first.
//
// Every pointer is to a C-contiguous array. No kernel waits for the host, and none adds numbers by atomics:
// the same arguments give the same bits.
//
// A step of a small network is bound by the number of launches and by the latency of each, not by arithmetic.
// So there are two ways through it. Where products are large, cuBLAS computes them, and a kernel does all
// that lies between two products in one pass. Where they are small, a kernel computes a product together with what
// comes before and after it: one launch for each layer and direction.

typedef long long int64;
typedef unsigned char byte;

// A loop over `size` items by all threads of the grid.
#define EACH(i, size)                                                                       \
    for (int64 i = blockIdx.x * (int64)blockDim.x + threadIdx.x; i < (size);                \
         i += gridDim.x * (int64)blockDim.x)

const unsigned WARP = 0xffffffffu;  // all 32 threads of it
const int THREADS = 256;            // of a block, unless its kernel says otherwise
