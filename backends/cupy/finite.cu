// The search for NaN and infinity.

// *found becomes 1 if any x is NaN or infinite.
extern "C" __global__ void find_not_finite(const float* x, int* found, int64 size) {
    EACH(i, size) {
        if (!(fabsf(x[i]) <= 3.402823466e38f)) *found = 1;  // NaN compares as false
    }
}
