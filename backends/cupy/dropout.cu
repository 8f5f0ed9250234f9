// Dropout, with masks by the generator Philox 4x64-10, as backprop/arrays/philox.py defines it.

// Replaces a counter by its four words of random bits.
__device__ void philox(uint64* words, uint64 key, uint64 second_key) {
    for (int round = 0; round < 10; ++round) {
        uint64 high_0 = __umul64hi(0xD2E7470EE14C6C93ull, words[0]), low_0 = 0xD2E7470EE14C6C93ull * words[0];
        uint64 high_2 = __umul64hi(0xCA5A826395121157ull, words[2]), low_2 = 0xCA5A826395121157ull * words[2];
        words[0] = high_2 ^ words[1] ^ key;
        words[1] = low_2;
        words[2] = high_0 ^ words[3] ^ second_key;
        words[3] = low_0;
        key += 0x9E3779B97F4A7C15ull;
        second_key += 0xBB67AE8584CAA73Bull;
    }
}

// factor = scale where a value is kept, else 0; out = x factor; *next_pass = *passes + 1.
// x, out, factor: (samples, width).  blocks: of the generator, per sample.  size: samples * blocks.
// One thread takes eight neighbouring values, which need one block of the generator.
extern "C" __global__ void dropout(const float* x, const uint64* seed, const uint64* passes,
                                   const uint64* first_row, float* out, float* factor, uint64* next_pass,
                                   int64 threshold, float scale, int64 width, int64 blocks, int64 size) {
    if (blockIdx.x == 0 && threadIdx.x == 0) *next_pass = *passes + 1;
    EACH(i, size) {
        uint64 words[4] = {1 + *first_row * (uint64)blocks + (uint64)i, *passes, 0, 0};
        philox(words, *seed, 0);
        int64 first = i % blocks * 8, sample = i / blocks;
        for (int j = 0; j < 8; ++j) {
            if (first + j >= width) break;
            int64 bits = (int64)(j % 2 ? words[j / 2] >> 32 : words[j / 2] & 0xffffffffull);
            int64 at = sample * width + first + j;
            factor[at] = bits >= threshold ? scale : 0.0f;
            out[at] = x[at] * factor[at];
        }
    }
}

// dx = dout factor.
extern "C" __global__ void dropout_backward(const float* dout, const float* factor, float* dx, int64 size) {
    EACH(i, size) dx[i] = dout[i] * factor[i];
}
