// MaxPool2D: the largest value under each window, and where it lies.

// out = the largest value of each window; of several, the first. NaN counts as largest, the padding as -infinity.
// x: (planes, height, width).  out: (planes, across, along).  largest: (planes, kernel, across, along).
template <class Real>
__device__ void pool_largest(const Real* x, Real* out, bool* largest, const Windows& w, int64 size) {
    EACH(i, size) {
        int at = (int)i, plane = at / w.places(), place = at % w.places();
        int y = place / w.along * w.stride - w.padding, left = place % w.along * w.stride - w.padding;
        const Real* pixels = x + plane * w.pixels();
        int found = 0;
        Real best = 0, outside = __int_as_float(0xff800000);  // -infinity
        for (int k = 0; k < w.kernel(); ++k) {
            int row = y + k / w.kernel_width, column = left + k % w.kernel_width;
            Real value = w.inside(row, column) ? pixels[row * w.width + column] : outside;
            if (k == 0 || value > best || (value != value && best == best)) best = value, found = k;
        }
        out[at] = best;
        for (int k = 0; k < w.kernel(); ++k)
            largest[(plane * w.kernel() + k) * w.places() + place] = k == found;
    }
}

// dx = the sum of dout over the windows in which x is the largest value.
template <class Real>
__device__ void pool_largest_backward(const Real* dout, const bool* largest, Real* dx, const Windows& w,
                                      int64 size) {
    EACH(i, size) {
        int at = (int)i, plane = at / w.pixels(), pixel = at % w.pixels();
        Real sum = 0;
        each_window(w, pixel / w.width, pixel % w.width, [&](int y, int x, int i, int j) {
            int place = y * w.along + x, k = i * w.kernel_width + j;
            if (largest[(plane * w.kernel() + k) * w.places() + place]) sum += dout[plane * w.places() + place];
        });
        dx[at] = sum;
    }
}

extern "C" __global__ void max_pool2d(const float* x, float* out, bool* largest, int height, int width, int kernel,
                                      int across, int along, int stride, int padding, int64 size) {
    pool_largest(x, out, largest, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

extern "C" __global__ void max_pool2d_backward(const float* dout, const bool* largest, float* dx, int height,
                                               int width, int kernel, int across, int along, int stride,
                                               int padding, int64 size) {
    pool_largest_backward(dout, largest, dx, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

// The same in float64.

extern "C" __global__ void max_pool2d_double(const double* x, double* out, bool* largest, int height, int width,
                                             int kernel, int across, int along, int stride, int padding,
                                             int64 size) {
    pool_largest(x, out, largest, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

extern "C" __global__ void max_pool2d_backward_double(const double* dout, const bool* largest, double* dx,
                                                      int height, int width, int kernel, int across, int along,
                                                      int stride, int padding, int64 size) {
    pool_largest_backward(dout, largest, dx, {height, width, kernel, kernel, across, along, stride, padding}, size);
}
