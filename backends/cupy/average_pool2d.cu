// AveragePool2D: the mean of the values under each window, where the padding counts as zeros.

// x: (planes, height, width).  out: (planes, across, along).
template <class Real>
__device__ void pool_average(const Real* x, Real* out, const Windows& w, int64 size) {
    EACH(i, size) {
        int at = (int)i, plane = at / w.places(), place = at % w.places();
        int top = place / w.along * w.stride - w.padding, left = place % w.along * w.stride - w.padding;
        const Real* pixels = x + plane * w.pixels();
        Real sum = 0;
        for (int row = top; row < top + w.kernel_height; ++row)
            for (int column = left; column < left + w.kernel_width; ++column)
                if (w.inside(row, column)) sum += pixels[row * w.width + column];
        out[at] = sum / (Real)w.kernel();
    }
}

// dx = the sum of dout / kernel over the windows that x lies in.
template <class Real>
__device__ void pool_average_backward(const Real* dout, Real* dx, const Windows& w, int64 size) {
    EACH(i, size) {
        int at = (int)i, plane = at / w.pixels(), pixel = at % w.pixels();
        Real sum = 0;
        each_window(w, pixel / w.width, pixel % w.width,
                    [&](int y, int x, int, int) { sum += dout[plane * w.places() + y * w.along + x]; });
        dx[at] = sum / (Real)w.kernel();
    }
}

extern "C" __global__ void average_pool2d(const float* x, float* out, int height, int width, int kernel, int across,
                                          int along, int stride, int padding, int64 size) {
    pool_average(x, out, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

extern "C" __global__ void average_pool2d_backward(const float* dout, float* dx, int height, int width, int kernel,
                                                   int across, int along, int stride, int padding, int64 size) {
    pool_average_backward(dout, dx, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

// The same in float64.

extern "C" __global__ void average_pool2d_double(const double* x, double* out, int height, int width, int kernel,
                                                 int across, int along, int stride, int padding, int64 size) {
    pool_average(x, out, {height, width, kernel, kernel, across, along, stride, padding}, size);
}

extern "C" __global__ void average_pool2d_backward_double(const double* dout, double* dx, int height, int width,
                                                          int kernel, int across, int along, int stride,
                                                          int padding, int64 size) {
    pool_average_backward(dout, dx, {height, width, kernel, kernel, across, along, stride, padding}, size);
}
