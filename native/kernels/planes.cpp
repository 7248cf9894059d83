// Normalizations, scale and shift, and sums, on the pixels of one sample; formulas of batch_normalization.py,
// layer_normalization.py and their neighbors in pellucid/nn/layers.
//
// The statistics of a batch are sums over its samples. The part of each sample is computed here, by any thread;
// images/statistics.cpp adds the parts up in the order of the samples.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"
#include "kernels/tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Calls f(row, column) for each pixel.
template <class F>
PELLUCID_INLINE void each_pixel(const Plane& x, F f) {
  for (Size i = 0; i < x.height; ++i)
    for (Size j = 0; j < x.width; ++j) f(i, j);
}

PELLUCID_INLINE float* at(const Plane& x, Size i, Size j, int v) { return x.data + i * x.row + j * x.pixel + v * W; }

// Calls f.operator()<V>(first) for groups of V neighboring vectors: what lies side by side is read together.
template <class F>
PELLUCID_INLINE void each_group(int vectors, F f) {
  constexpr int most = W == 16 ? 4 : 2;  // their constants fill half of the registers
  int v = 0;
  for (; v + most <= vectors; v += most) f.template operator()<most>(v);
  for (; v < vectors; ++v) f.template operator()<1>(v);
}

// The sum of f(i, j) over the pixels: each row is summed by itself first, which keeps the rounding error small.
template <class F>
PELLUCID_INLINE vf sum_pixels(const Plane& x, F f) {
  vf total{};
  for (Size i = 0; i < x.height; ++i) {
    vf even{}, odd{};
    Size j = 0;
    for (; j + 1 < x.width; j += 2) {
      even += f(i, j);
      odd += f(i, j + 1);
    }
    if (j < x.width) even += f(i, j);
    total += even + odd;
  }
  return total;
}

PELLUCID_INLINE vi lanes_below(Size count) {
  vi mask{};
  for (int i = 0; i < W; ++i) mask[i] = i < count ? -1 : 0;
  return mask;
}

// The sum of f(vector) over the channels of a pixel; `last` masks the lanes of the last vector that are channels.
template <class F>
PELLUCID_INLINE float sum_channels(int vectors, vi last, F f) {
  vf total{};
  for (int v = 0; v + 1 < vectors; ++v) total += f(v);
  return sum_lanes(total + select(last, f(vectors - 1), vf{}));
}

}  // namespace

// The mean of each channel of a sample, and the sum of squared distances from it.
void moments(const Plane& x, float* mean, float* squares) {
  const float count = (float)(x.height * x.width);
  for (int v = 0; v < x.vectors; ++v) {
    const vf middle = sum_pixels(x, [&](Size i, Size j) { return load(at(x, i, j, v)); }) / count;
    store(mean + v * W, middle);
    store(squares + v * W, sum_pixels(x, [&](Size i, Size j) {
      const vf d = load(at(x, i, j, v)) - middle;
      return d * d;
    }));
  }
}

// y = (x - mean) scale + shift, for each channel; a mean or shift that is null is zero.
void scale_plane(const Plane& x, const Plane& y, const float* mean, const float* scale, const float* shift) {
  each_group(x.vectors, [&]<int V>(int first) {
    vf m[V], s[V], b[V];
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) {
      const Size place = (first + v) * W;
      m[v] = mean ? load(mean + place) : vf{};
      s[v] = load(scale + place);
      b[v] = shift ? load(shift + place) : vf{};
    }
    each_pixel(x, [&](Size i, Size j) {
      const float* from = at(x, i, j, first);
      float* to = at(y, i, j, first);
      PELLUCID_UNROLL for (int v = 0; v < V; ++v) store(to + v * W, fma(load(from + v * W) - m[v], s[v], b[v]));
    });
  });
}

// A sample's part of  dbeta = sum dy  and  dgamma = sum dy (x - mean) inverse_std.
void normalization_sums(const Plane& dy, const Plane& x, const float* mean, const float* inverse_std, float* dgamma,
                        float* dbeta) {
  for (int v = 0; v < x.vectors; ++v) {
    const vf m = load(mean + v * W);
    vf shifts{}, products{};
    for (Size i = 0; i < x.height; ++i) {
      vf shift[2]{}, product[2]{};
      const auto add = [&](Size j, int parity) {
        const vf gradient = load(at(dy, i, j, v));
        shift[parity] += gradient;
        product[parity] += gradient * (load(at(x, i, j, v)) - m);
      };
      Size j = 0;
      for (; j + 1 < x.width; j += 2) {
        add(j, 0);
        add(j + 1, 1);
      }
      if (j < x.width) add(j, 0);
      shifts += shift[0] + shift[1];
      products += product[0] + product[1];
    }
    store(dbeta + v * W, shifts);
    store(dgamma + v * W, products * load(inverse_std + v * W));
  }
}

// dx = scale (dy - shift - (x - mean) slope): see BatchNormalization.backward.
void normalization_backward(const Plane& dy, const Plane& x, const Plane& dx, const float* mean, const float* scale,
                            const float* shift, const float* slope) {
  each_group(x.vectors, [&]<int V>(int first) {
    vf m[V], s[V], b[V], k[V];
    PELLUCID_UNROLL for (int v = 0; v < V; ++v) {
      const Size place = (first + v) * W;
      m[v] = load(mean + place);
      s[v] = load(scale + place);
      b[v] = load(shift + place);
      k[v] = load(slope + place);
    }
    each_pixel(x, [&](Size i, Size j) {
      const float *from = at(x, i, j, first), *gradient = at(dy, i, j, first);
      float* to = at(dx, i, j, first);
      PELLUCID_UNROLL for (int v = 0; v < V; ++v)
        store(to + v * W, fma(m[v] - load(from + v * W), k[v], load(gradient + v * W) - b[v]) * s[v]);
    });
  });
}

// Each pixel with mean 0 and variance 1 over its channels, then gamma and beta.
void normalize_pixels(const LayerNormalization& n, const Plane& x, const Plane& y) {
  const vi last = lanes_below(n.channels - (Size)(x.vectors - 1) * W);
  each_pixel(x, [&](Size i, Size j) {
    const float mean = sum_channels(x.vectors, last, [&](int v) { return load(at(x, i, j, v)); }) / (float)n.channels;
    const float variance = sum_channels(x.vectors, last, [&](int v) {
      const vf d = load(at(x, i, j, v)) - mean;
      return d * d;
    }) / (float)n.channels;
    const vf inverse_std = 1.0f / square_root(broadcast(variance) + n.epsilon);
    for (int v = 0; v < x.vectors; ++v)
      store(at(y, i, j, v), fma((load(at(x, i, j, v)) - mean) * inverse_std, load(n.gamma + v * W), load(n.beta + v * W)));
  });
}

// dgamma and dbeta are added to; dx = (dh - mean(dh) - h mean(dh h)) / std with dh = dy gamma.
void normalize_pixels_backward(const LayerNormalization& n, const Plane& dy, const Plane& x, const Plane* dx) {
  const vi last = lanes_below(n.channels - (Size)(x.vectors - 1) * W);
  const float count = (float)n.channels;
  each_pixel(x, [&](Size i, Size j) {
    const float mean = sum_channels(x.vectors, last, [&](int v) { return load(at(x, i, j, v)); }) / count;
    const float variance = sum_channels(x.vectors, last, [&](int v) {
      const vf d = load(at(x, i, j, v)) - mean;
      return d * d;
    }) / count;
    const vf inverse_std = 1.0f / square_root(broadcast(variance) + n.epsilon);
    const auto h = [&](int v) { return (load(at(x, i, j, v)) - mean) * inverse_std; };
    const auto dh = [&](int v) { return load(at(dy, i, j, v)) * load(n.gamma + v * W); };
    if (n.dgamma)
      for (int v = 0; v < x.vectors; ++v) {
        const vf gradient = select(v + 1 < x.vectors ? lanes_below(W) : last, load(at(dy, i, j, v)), vf{});
        store(n.dgamma + v * W, fma(gradient, h(v), load(n.dgamma + v * W)));
        store(n.dbeta + v * W, load(n.dbeta + v * W) + gradient);
      }
    if (!dx) return;
    const float shift = sum_channels(x.vectors, last, dh) / count;
    const float slope = sum_channels(x.vectors, last, [&](int v) { return dh(v) * h(v); }) / count;
    for (int v = 0; v < x.vectors; ++v) {
      const vf gradient = (dh(v) - shift - h(v) * slope) * inverse_std;
      store(at(*dx, i, j, v), v + 1 < x.vectors ? gradient : select(last, gradient, vf{}));
    }
  });
}

// y += x
void add_plane(const Plane& x, const Plane& y) {
  for (int v = 0; v < x.vectors; ++v)
    each_pixel(x, [&](Size i, Size j) { store(at(y, i, j, v), load(at(y, i, j, v)) + load(at(x, i, j, v))); });
}

// x <- scale x + shift for each number of a row, in place. Each has its own scale and shift, since pixels of few channels
// lie without gaps and so a vector may hold several of them.
void scale_row(float* x, Size count, const float* scale, const float* shift) {
  Size i = 0;
  for (; i + W <= count; i += W) store(x + i, fma(load(x + i), load(scale + i), load(shift + i)));
  const int part = (int)(count - i);
  if (part > 0) store_part(x + i, fma(load_part(x + i, part), load(scale + i), load(shift + i)), part);
}

}  // namespace pellucid::PELLUCID_ISA
