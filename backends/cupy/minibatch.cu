// Gathering a batch, also from samples stored as bytes.

// x_out[n] = x[batch[n]], and the same for the targets, which are copied as `target_bytes` bytes per sample,
// whatever their type.  x: (S, width).  One block per row.
template <class Read>
__device__ void rows(Read read, const byte* targets, const int64* batch, float* x_out, byte* targets_out,
                     int64 width, int64 target_bytes) {
    int64 n = blockIdx.x, sample = batch[n];
    for (int64 i = threadIdx.x; i < width; i += blockDim.x) x_out[n * width + i] = read(sample * width + i);
    for (int64 i = threadIdx.x; i < target_bytes; i += blockDim.x)
        targets_out[n * target_bytes + i] = targets[sample * target_bytes + i];
}

extern "C" __global__ void minibatch(const float* x, const byte* targets, const int64* batch, float* x_out,
                                     byte* targets_out, int64 width, int64 target_bytes) {
    rows([=](int64 i) { return x[i]; }, targets, batch, x_out, targets_out, width, target_bytes);
}

// The same for bytes that stand for x = bytes / 255, exactly as `load_mnist` divides pixels.
extern "C" __global__ void minibatch_of_bytes(const byte* x, const byte* targets, const int64* batch,
                                              float* x_out, byte* targets_out, int64 width,
                                              int64 target_bytes) {
    rows([=](int64 i) { return (float)x[i] / 255.0f; }, targets, batch, x_out, targets_out, width,
         target_bytes);
}

// bytes = 255 x, rounded; *differ becomes 1 if any bytes / 255 is not exactly x.
extern "C" __global__ void to_bytes(const float* x, byte* bytes, int* differ, int64 size) {
    EACH(i, size) {
        float value = x[i];
        bool fits = value >= 0.0f && value <= 1.0f;  // false for NaN
        bytes[i] = fits ? (byte)(value * 255.0f + 0.5f) : 0;
        // Compare bits, since -0 equals 0, and so does a subnormal number if those are flushed to 0.
        if (!fits || __float_as_int((float)bytes[i] / 255.0f) != __float_as_int(value)) *differ = 1;
    }
}
