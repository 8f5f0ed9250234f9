// Looking for numbers that are none.

// *found becomes 1 where some x is NaN or infinite.
extern "C" __global__ void find_not_finite(const float* x, int* found, int64 size) {
    EACH(i, size) {
        if (!(fabsf(x[i]) <= 3.402823466e38f)) *found = 1;  // NaN compares as false
    }
}
