// A small matrix product whose factors and result are functions, so that the operations before and after it
// need no launch of their own.
//
// Every array has fewer than 2^31 entries, so that `int` can index them. 64-bit indices would take a third of the
// registers, and fewer blocks would fit on a multiprocessor.

// One block of THREADS computes a tile, TILE x TILE. Each thread sums 2 x 2 entries over every SHARES-th of the
// k summands; the shares are then added in a fixed order.
const int TILE = 8, SHARES = THREADS / (TILE / 2 * TILE / 2);
const int DEPTH = 256;                     // summands in shared memory at a time
const int LOADS = TILE * DEPTH / THREADS;  // per thread, from each operand

struct Tiles {  // padded by one column against bank conflicts
    float a[TILE][DEPTH + 1], b[DEPTH][TILE + 1], sums[SHARES][TILE * TILE + 1];
};

__device__ int tiles_of(int m, int n) { return ((m + TILE - 1) / TILE) * ((n + TILE - 1) / TILE); }

// Position in a tile of the e-th number that a thread loads, in memory order. Adjacent threads differ in q if
// ALONG_Q, else in the row or column.
template <bool ALONG_Q>
struct Place {
    int line, q;
    __device__ Place(int e) {
        int i = e * THREADS + threadIdx.x;
        line = ALONG_Q ? i / DEPTH : i % TILE;
        q = ALONG_Q ? i % DEPTH : i / TILE;
    }
};

// Calls put(i, j, sum over q < k of a(i, q) * b(q, j)) for the entries i < m, j < n of a tile.
// A_ALONG_Q, B_ALONG_Q: adjacent entries in the operand's memory differ in q.
template <bool A_ALONG_Q, bool B_ALONG_Q, class A, class B, class Put>
__device__ void product(Tiles& tiles, int tile, int m, int n, int k, A a, B b, Put put) {
    int across = (n + TILE - 1) / TILE, i0 = tile / across * TILE, j0 = tile % across * TILE;
    int thread = threadIdx.x, share = thread % SHARES, quad = thread / SHARES;
    int i = quad / (TILE / 2) * 2, j = quad % (TILE / 2) * 2;
    float sum[2][2] = {{0.0f, 0.0f}, {0.0f, 0.0f}}, next_a[LOADS], next_b[LOADS];

    auto load = [&](int q0) {
        for (int e = 0; e < LOADS; ++e) {
            Place<A_ALONG_Q> in_a(e);
            Place<B_ALONG_Q> in_b(e);
            bool is_a = i0 + in_a.line < m && q0 + in_a.q < k, is_b = j0 + in_b.line < n && q0 + in_b.q < k;
            next_a[e] = is_a ? a(i0 + in_a.line, q0 + in_a.q) : 0.0f;
            next_b[e] = is_b ? b(q0 + in_b.q, j0 + in_b.line) : 0.0f;
        }
    };

    load(0);
    for (int q0 = 0; q0 < k; q0 += DEPTH) {
        for (int e = 0; e < LOADS; ++e) {
            Place<A_ALONG_Q> in_a(e);
            Place<B_ALONG_Q> in_b(e);
            tiles.a[in_a.line][in_a.q] = next_a[e];
            tiles.b[in_b.q][in_b.line] = next_b[e];
        }
        __syncthreads();
        if (q0 + DEPTH < k) load(q0 + DEPTH);  // prefetch while these are multiplied
        int depth = k - q0 < DEPTH ? k - q0 : DEPTH;
        for (int q = share; q < depth; q += SHARES) {
            float a0 = tiles.a[i][q], a1 = tiles.a[i + 1][q], b0 = tiles.b[q][j], b1 = tiles.b[q][j + 1];
            sum[0][0] += a0 * b0;
            sum[0][1] += a0 * b1;
            sum[1][0] += a1 * b0;
            sum[1][1] += a1 * b1;
        }
        __syncthreads();
    }
    for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x) tiles.sums[share][(i + y) * TILE + j + x] = sum[y][x];
    __syncthreads();
    i = i0 + thread / TILE, j = j0 + thread % TILE;
    if (thread < TILE * TILE && i < m && j < n) {
        float total = 0.0f;
        for (int s = 0; s < SHARES; ++s) total += tiles.sums[s][thread];
        put(i, j, total);
    }
}
