// Pooling: the largest number, or the mean, of each window of a plane, by the formulas of pellucid/nn/layers/pooling.py.
//
// Where a window reaches over the edge, only its part inside of the image counts. The gradient of a maximum goes to the
// first pixel, in the order of rows, that has it.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

struct Range {
  Size from, to;
  Size count() const { return to - from; }
};

// The pixels of the input, `size` in all, that the window of the output pixel `place` covers.
PELLUCID_INLINE Range inside(Size place, Size stride, Size before, Size length, Size size) {
  const Size start = place * stride - before, stop = start + length;
  return {start > 0 ? start : 0, stop < size ? stop : size};
}

// Calls f(row and column of the output, rows and columns of the input, vector) for each output pixel and vector.
template <class F>
PELLUCID_INLINE void each_window(const Pooling& p, const Plane& x, const Plane& y, F f) {
  for (Size row = 0; row < y.height; ++row) {
    const Range rows = inside(row, p.down, p.top, p.height, x.height);
    for (Size column = 0; column < y.width; ++column) {
      const Range columns = inside(column, p.across, p.left, p.width, x.width);
      for (int v = 0; v < y.vectors; ++v) f(row, column, rows, columns, v);
    }
  }
}

PELLUCID_INLINE float* at(const Plane& x, Size i, Size j, int v) { return x.data + i * x.row + j * x.pixel + v * W; }

template <class F>
PELLUCID_INLINE void each_pixel(const Range& rows, const Range& columns, F f) {
  for (Size i = rows.from; i < rows.to; ++i)
    for (Size j = columns.from; j < columns.to; ++j) f(i, j);
}

}  // namespace

void pool(const Pooling& p, const Plane& x, const Plane& y) {
  each_window(p, x, y, [&](Size row, Size column, const Range& rows, const Range& columns, int v) {
    vf result = p.takes_largest ? broadcast(-__builtin_inff()) : vf{};
    if (p.takes_largest) {
      each_pixel(rows, columns, [&](Size i, Size j) {
        const vf one = load(at(x, i, j, v));
        result = select((result >= one) | (result != result), result, one);  // a NaN stays
      });
    } else {
      each_pixel(rows, columns, [&](Size i, Size j) { result += load(at(x, i, j, v)); });
      result /= (float)(rows.count() * columns.count());
    }
    store(at(y, row, column, v), result);
  });
}

void pool_backward(const Pooling& p, const Plane& x, const Plane& y, const Plane& dy, const Plane& dx) {
  // Where windows lie side by side, each pixel is in one window at most, and its gradient is stored rather than added.
  const bool overlaps = p.height > p.down || p.width > p.across;
  const bool covers = !overlaps && p.height == p.down && p.width == p.across && p.top == 0 && p.left == 0 &&
                      dx.height <= p.down * dy.height && dx.width <= p.across * dy.width;
  if (!covers)
    each_pixel({0, dx.height}, {0, dx.width}, [&](Size i, Size j) {
      for (int v = 0; v < dx.vectors; ++v) store(at(dx, i, j, v), vf{});
    });
  each_window(p, dx, dy, [&](Size row, Size column, const Range& rows, const Range& columns, int v) {
    const vf gradient = load(at(dy, row, column, v));
    const auto give = [&](Size i, Size j, vf part) {
      float* to = at(dx, i, j, v);
      store(to, overlaps ? load(to) + part : part);
    };
    if (p.takes_largest) {
      const vf best = load(at(y, row, column, v));
      vi left = best == best;
      each_pixel(rows, columns, [&](Size i, Size j) {
        const vi found = left & (load(at(x, i, j, v)) == best);
        give(i, j, select(found, gradient, vf{}));
        left &= ~found;
      });
    } else {
      const vf share = gradient / (float)(rows.count() * columns.count());
      each_pixel(rows, columns, [&](Size i, Size j) { give(i, j, share); });
    }
  });
}

}  // namespace pellucid::PELLUCID_ISA
