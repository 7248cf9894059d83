// The interface of the kernels: plain structures of pointers and sizes, and one table of functions for each instruction
// set. Nothing here depends on the width of a vector.
//
// Conventions. Matrices are row-major float32; a stride counts numbers, not bytes. A *panel* is a group of neighboring
// columns, `vectors` times `width` wide, that one thread owns. A weight matrix (D, U) is kept panel by panel,
// (U / panel, D, panel), so that every panel is contiguous; columns beyond U are zero, and stay zero under every update.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pellucid {

using Size = std::ptrdiff_t;

// C (rows, panel) = start + A (rows, depth) B (depth, panel); start is 0, or a bias, or C itself.
struct Product {
  const float* a;
  Size a_row, a_depth;  // A[r, k] is a[r * a_row + k * a_depth]
  const float* b;
  Size b_row;
  float* c;
  Size c_row;
  Size rows, depth;
  int vectors;
  const float* bias = nullptr;
  bool accumulate = false;
  bool skips_zeros = false;  // A has many
};

// A rectangle of a matrix: `rows` rows, each of `vectors` vectors.
struct Block {
  float* data;
  Size stride;
  Size rows;
  int vectors;
};

enum class Activation : int {
  identity, relu, relu6, leaky_relu, elu, selu, gelu, silu, softplus, sigmoid, hard_sigmoid, tanh
};

// Whether the derivative needs the sum z: then z is kept for the way back. The others are computed from a = f(z).
constexpr bool keeps_sum(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu || activation == Activation::softplus ||
         activation == Activation::hard_sigmoid;
}

// Which elements a dropout layer drops: those whose 32 random bits are below the threshold (see pellucid/core/random.py).
struct Mask {
  std::uint32_t low, high;   // the halves of the key
  std::uint32_t threshold;
  float factor;              // 1 / (1 - rate)
};

// Batch normalization of the columns of one panel; every pointer is to the first of them.
struct Normalization {
  float *gamma, *beta, *moving_mean, *moving_variance;
  float *mean, *inverse_std;      // of this batch, kept for the way back
  float *dgamma, *dbeta;
  float keep, take, epsilon;      // momentum, and 1 - momentum
};

// The factors 1 + rate c of the columns of one panel; both pointers are to the first of them.
struct Scaling {
  const float* change;  // c
  float* dchange;
  float rate;
  bool accumulates;     // dchange is added to
};

enum class Rule : int { descent, momentum, nesterov, adam, rmsprop, adagrad };

// The constants of one update; see update.cpp.
struct Update {
  Rule rule = Rule::descent;
  float rate = 0;                 // for Adam: r sqrt(1 - beta2^t) / (1 - beta1^t)
  float keep1 = 0;                // momentum
  float take1 = 0, take2 = 0;     // 1 - beta1, 1 - beta2; RMSProp: 1 - decay
  float epsilon = 0;              // for Adam: epsilon sqrt(1 - beta2^t)
  float shrink = 1;               // 1 - r weight_decay
  float l1 = 0, twice_l2 = 0;     // the penalty on weights
  float bound = __builtin_inff(); // each element of the gradient is clipped to [-bound, bound]
  float scale = 1;                // all of them are multiplied by this
};

enum class LossKind : int { cross_entropy, binary_cross_entropy, mse, mae, huber, poisson, pinball };

constexpr int MOST_LEVELS = 99;  // of the pinball loss, as in mathematics/losses.py

// The loss of some rows of a batch: terms, scores and the gradient, from logits and the targets of those samples.
struct Loss {
  LossKind kind;
  float parameter;                // label smoothing, Huber's delta, or the place of the middle level
  int outputs;
  const std::int32_t* labels;     // (N,) class numbers, or null
  const float* targets;           // (N, outputs), or null
  const double* weights;          // (N,), or null
  double scale;                   // 1 / sum of the weights of the batch, 0 if that is 0
  const float* levels;            // (outputs,) of the pinball loss
};

// The pixels of one sample, each of `vectors` vectors of channels. `row` and `pixel` are the strides of rows and pixels.
struct Plane {
  float* data;
  Size row, pixel, height, width;
  int vectors;
};

// A place in a window: where its numbers begin in A, and its first row of B.
struct Tap {
  Size a, b;
  Size row;  // its row in the image, counted from that of the output pixel; kernels do not read it
};

// C (rows, vectors) = start + sum over taps and depth: see convolution.cpp. Then the rows of `added` are added, and the result
// is bounded by `low` and `high`; a NaN stays.
struct Convolution {
  const float* a;
  Size a_row;
  const float* b;
  Size b_row;
  float* c;
  Size c_row;
  Size rows;
  int vectors;
  const Tap* taps;
  Size num_taps, depth;
  const float* bias = nullptr;
  bool accumulate = false;
  Size a_depth = 1;  // from one k to the next; a depthwise convolution goes to the next pixel
  const float* added = nullptr;
  Size added_row = 0;
  float low = -__builtin_inff(), high = __builtin_inff();
};

// Rows [0, rows) of a weight gradient: the sum over samples and pixels of x times dz; a row for each of `rows` neighboring
// numbers of x or, where each channel is by itself, of neighboring pixels.
struct ConvolutionGradient {
  const float* x;
  Size x_sample, x_row, x_pixel;
  const float* dz;
  Size dz_sample, dz_row, dz_pixel;
  Size samples, height, width;
  float* to;
  Size to_row, rows;
  int vectors;
  bool accumulate;
  Size x_depth = 1;  // from a row to the next
};

// The window of output pixel (i, j) begins at the pixel (i down - top, j across - left).
struct Pooling {
  Size height, width, down, across, top, left;
  bool takes_largest;  // else the mean
};

struct LayerNormalization {
  const float *gamma, *beta;
  float epsilon;
  Size channels;
  float *dgamma = nullptr, *dbeta = nullptr;
};

// The bins of the columns of a table, one column after another; see encoding.cpp. The last four can be read a whole vector
// beyond their end.
struct Encoding {
  Size columns, bins;
  const Size* bins_of;            // (columns,) how many of the bins each column has
  const float *low, *slope;       // of each bin: its lower edge, and 1 / its width
  const float *least, *most;      // the bounds of what it gives
  float gain;
};

// The tables (size, vectors) of an ensemble of `size` networks, for a block of rows of which the first is of network `first`.
struct EnsembleScales {
  Size size, first;
  const float *scale, *shift;     // shift may be null
};

// The waves of PeriodicEmbedding: cos(2 pi (w x + b)) of some columns, `frequencies` of each; see waves.cpp.
struct Waves {
  Size columns, embedded, frequencies;
  const Size* column;             // (embedded,) which columns these are
  const float *frequency, *phase; // (embedded, frequencies): w and b
};

// Where a number is among the bins of its column, counted from the first one, and what the sums of the weights below and up
// to the end of that bin are multiplied by. See encoding.cpp.
struct InBin {
  std::int32_t bin;
  float lower, upper;
};

// The weights of all bins for the columns of a panel, whole vectors wide: their `sums` by `sum_weights`, or, where that is
// null, the weights themselves.
struct BinWeights {
  const float* sums;
  const float* weight;
  Size units;  // how far it is to the weights of the next bin
};

// GroupedDense: `count` groups of columns, each with `units` weighted sums of its own; see groups.cpp.
struct Groups {
  Size count, units;
  const Size* start;              // (count + 1,) where the columns of each group begin, also as rows of the weight
  const Size* column;
  const float *weight, *bias;     // (all columns of all groups, units) and (count, units)
};

// The same where there is a group for each column with bins: the column, then its bins.
struct BinGroups {
  Encoding encoding;
  Size units;
  const float *weight, *bias;
};

enum class Source : int { bytes, floats };  // uint8 pixels (divided by 255), or float32

struct Kernels {
  const char* name;
  int width;  // numbers in a vector
  int panel;  // columns of a full panel
  int wide_panel;  // columns that a product of one row takes at once, to read a row-major B in long stretches
  int tile_rows[5];  // by number of vectors: the rows of a tile, the best height of a product's C
  void (*product)(const Product&);
  // null where the instruction set has no bfloat16; an element is a pair of numbers: see product_bf16.cpp
  void (*product_bf16)(const Product&);
  void (*round_rows)(const Block& from, float* to);
  void (*pair_rows)(const Block& from, float* to, Size to_row);
  void (*transpose)(const float* from, Size from_row, Size rows, int vectors, float* to, Size to_row);
  void (*pack)(const float* from, Size from_row, Size rows, Size columns, float* to, Size to_row);
  void (*column_sums)(const Block&, float* sums, bool accumulate);
  void (*activate)(Activation, const Block&, float* z);  // in place; the sums go to z (same stride) unless it is null
  void (*activate_backward)(Activation, const Block& dy, const float* a, const float* z);
  void (*dropout)(const Mask&, const float* x, const Block& y, std::uint32_t first, std::uint32_t width);
  void (*ensemble_scale)(const EnsembleScales&, const float* x, Size x_stride, const Block& y);
  void (*ensemble_scale_backward)(const EnsembleScales&, const float* x, const Block& dy, float* dscale, float* dshift);
  void (*normalize)(const Normalization&, const float* x, const Block& y);
  void (*normalize_backward)(const Normalization&, const float* x, const Block& dy);
  void (*normalize_inference)(const Normalization&, const Block& x);
  void (*scale_columns)(const Scaling&, const float* x, const Block& y);
  void (*scale_columns_backward)(const Scaling&, const float* x, const Block& dy);
  void (*convolve)(const Convolution&);
  void (*convolve_gradient)(const ConvolutionGradient&);
  void (*convolve_channels)(const Convolution&);  // depthwise: each channel by itself
  void (*convolve_channels_gradient)(const ConvolutionGradient&);
  void (*pool)(const Pooling&, const Plane& x, const Plane& y);
  void (*pool_backward)(const Pooling&, const Plane& x, const Plane& y, const Plane& dy, const Plane& dx);
  void (*moments)(const Plane& x, float* mean, float* squares);
  void (*scale_plane)(const Plane& x, const Plane& y, const float* mean, const float* scale, const float* shift);
  void (*normalization_sums)(const Plane& dy, const Plane& x, const float* mean, const float* inverse_std, float* dgamma,
                             float* dbeta);
  void (*normalization_backward)(const Plane& dy, const Plane& x, const Plane& dx, const float* mean, const float* scale,
                                 const float* shift, const float* slope);
  void (*normalize_pixels)(const LayerNormalization&, const Plane& x, const Plane& y);
  void (*normalize_pixels_backward)(const LayerNormalization&, const Plane& dy, const Plane& x, const Plane* dx);
  void (*add_plane)(const Plane& x, const Plane& y);
  void (*scale_row)(float* x, Size count, const float* scale, const float* shift);
  // g += the gradient of the penalty at p
  void (*add_penalty)(const Update&, Size count, const float* p, float* g);
  // finite: two vectors of 0 that become NaN, the first when a parameter is not finite, the second when a gradient is not,
  // if gradients are clipped
  void (*update)(const Update&, Size count, float* p, const float* g, float* first, float* second, float* finite);
  void (*loss)(const Loss&, const Block& logits, const std::int64_t* index, float* gradient, float* terms, float* scores);
  void (*softmax)(const Block& logits, Size outputs, float* to);
  void (*yes_or_no)(const Block& logits, float* to);
  void (*gather)(Source, const void* x, Size width, const std::int64_t* index, Size rows, float* to, Size to_row);
  void (*encode)(const Encoding&, Size rows, float* x, Size x_row);  // writes the bins of each row behind its columns
  // dx from dy (rows, columns + bins); x are the columns
  void (*encode_backward)(const Encoding&, Size rows, const float* x, Size x_row, const float* dy, Size dy_row, float* dx,
                          Size dx_row);
  void (*make_waves)(const Waves&, Size rows, const float* x, Size x_row, float* y, Size y_row);
  // dy becomes dL/d(w x + b) behind the columns; dx may be null
  void (*waves_backward)(const Waves&, Size rows, const float* x, Size x_row, float* dy, Size dy_row, float* dx,
                         Size dx_row);
  // of the embedded columns [from, to), from what `waves_backward` has made of dy
  void (*waves_gradient)(const Waves&, Size from, Size to, Size rows, const float* x, Size x_row, const float* dy,
                         Size dy_row, float* dfrequency, float* dphase, bool accumulate);
  // y and dy begin with the first group; dx has only the columns of groups
  void (*multiply_groups)(const Groups&, Size rows, const float* x, Size x_row, float* y, Size y_row);
  void (*groups_backward)(const Groups&, Size rows, const float* dy, Size dy_row, float* dx, Size dx_row);
  void (*groups_gradient)(const Groups&, Size group, Size rows, const float* x, Size x_row, const float* dy, Size dy_row,
                          float* dweight, float* dbias, bool accumulate);
  // x are the columns, whose bins are not made; `sums` by `sum_groups` are (bins + 3, units) for each group, whole vectors
  void (*sum_groups)(const BinGroups&, float* to);
  void (*add_groups)(const BinGroups&, const float* sums, Size rows, const float* x, Size x_row, float* y, Size y_row);
  void (*bin_groups_backward)(const BinGroups&, Size rows, const float* x, Size x_row, const float* dy, Size dy_row,
                              float* dx, Size dx_row);
  // of one column, whose bins begin at `start`: x, dy and the gradients are its own; `room` for (bins + 1, units)
  void (*bin_groups_gradient)(const BinGroups&, Size column, Size start, Size rows, const float* x, Size x_row,
                              const float* dy, Size dy_row, float* room, float* dweight, float* dbias, bool accumulate);
  void (*find_bins)(const Encoding&, Size rows, const float* x, Size x_row, InBin* to);
  void (*sum_weights)(const Encoding&, const float* weight, int vectors, float* to);
  void (*add_bins)(const Encoding&, const BinWeights&, const InBin* in, const Block& to);
  bool (*all_finite)(const float* x, Size count);
};

bool has_bf16(const Kernels& kernels);  // whether they have products of bfloat16, and this processor can run them
const Kernels& kernels();            // for this processor, or those that PELLUCID_ISA names
const Kernels* find_kernels(const char* name);  // null if unknown or not possible here

}  // namespace pellucid
