// Windows: the places of an image that a kernel or a pooling looks at, as in the formulas of these layers.
//
// Images are launched in pieces of fewer than 2^31 entries, so that `int` can index them. 64-bit divisions would
// take most of the time.

// Images (height, width) with the windows on them. A window meets the pixel (stride y + i - padding, ...) at (i, j).
struct Windows {
    int height, width, kernel_height, kernel_width, across, along, stride, padding;
    __device__ int pixels() const { return height * width; }
    __device__ int kernel() const { return kernel_height * kernel_width; }
    __device__ int places() const { return across * along; }
    __device__ bool inside(int y, int x) const { return y >= 0 && y < height && x >= 0 && x < width; }
};

// Calls each(y, x, i, j) for those windows (y, x) of an image that meet the pixel (row, column), at (i, j) each.
template <class Each>
__device__ void each_window(const Windows& w, int row, int column, Each each) {
    row += w.padding, column += w.padding;
    int y0 = row < w.kernel_height ? 0 : (row - w.kernel_height) / w.stride + 1;
    int x0 = column < w.kernel_width ? 0 : (column - w.kernel_width) / w.stride + 1;
    for (int y = y0; y < w.across && y * w.stride <= row; ++y)
        for (int x = x0; x < w.along && x * w.stride <= column; ++x)
            each(y, x, row - y * w.stride, column - x * w.stride);
}
