// Loss, its gradient and the metric of some rows of a batch, in one pass over the logits; formulas of pellucid/losses.py.
//
//     terms[r]     the loss of sample r, without its weight
//     scores[r]    its metric: right or wrong for classes, the mean absolute error for real numbers
//     gradient     w_r / (sum of weights) * dl_r/dz
//
// The caller adds terms up in double precision, in the order of the rows. Columns beyond the outputs get gradient 0.
#include "kernels.hpp"
#include "simd.hpp"
#include "transposition.hpp"
#include "vector_math.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

PELLUCID_INLINE vi lane_numbers() {
  vi lanes{};
  for (int i = 0; i < W; ++i) lanes[i] = i;
  return lanes;
}

PELLUCID_INLINE float largest_lane(vf v) {
  float lanes[W];
  store(lanes, v);
  float most = lanes[0];
  for (int i = 1; i < W; ++i) most = lanes[i] > most ? lanes[i] : most;
  return most;
}

// The vector of columns v * W ..., with `rest` in the lanes beyond the outputs.
PELLUCID_INLINE vf columns(const float* row, int v, Size outputs, vf rest) {
  const vi inside = lane_numbers() + (std::int32_t)(v * W) < (std::int32_t)outputs;
  return select(inside, load(row + v * W), rest);
}

PELLUCID_INLINE float largest(const float* row, int vectors, Size outputs) {
  const vf lowest = broadcast(-__builtin_inff());
  vf most = lowest;
  for (int v = 0; v < vectors; ++v) most = larger(columns(row, v, outputs, lowest), most);
  return largest_lane(most);
}

// Writes e^(z - max) with 0 in the lanes beyond the outputs; gives their sum.
PELLUCID_INLINE float exponentials(const float* row, int vectors, Size outputs, float most, float* to) {
  const vf lowest = broadcast(-__builtin_inff());
  vf sum{};
  for (int v = 0; v < vectors; ++v) {
    const vf e = exponential(columns(row, v, outputs, lowest) - most);
    store(to + v * W, e);
    sum += e;
  }
  return sum_lanes(sum);
}

// W samples, one in each lane: what they are compared with, and a way through their classes.
class Group {
 public:
  Group(const Loss& loss, const Block& z, const std::int64_t* index, Size row)
      : loss_(loss), z_(z), index_(index + row), row_(row), rows_(z.rows - row < W ? z.rows - row : W) {
    std::int32_t labels[W] = {};
    float scale[W] = {};
    for (Size r = 0; loss.labels && r < rows_; ++r) labels[r] = loss.labels[index_[r]];
    for (Size r = 0; loss.weights && r < rows_; ++r) scale[r] = (float)(loss.weights[index_[r]] * loss.scale);
    std::memcpy(&labels_, labels, sizeof labels);
    scale_ = loss.weights ? load(scale) : broadcast((float)loss.scale);
    if (!loss.labels) labels_ = broadcast((std::int32_t)-1);
  }

  Size rows() const { return rows_; }
  vf scale() const { return scale_; }

  // Calls work(k, logit, target) for each class k in order; logits are turned over, W classes at a time. Targets are
  // labels, or rows of probabilities; with smoothing s, t <- (1 - s) t + s / K.
  template <class Work>
  PELLUCID_INLINE void each_class(Work work) {
    const float keep = 1 - loss_.parameter, spread = loss_.parameter / (float)loss_.outputs;
    for (Size start = 0; start < loss_.outputs; start += W) {
      fetch(start);
      for (Size k = start; k < loss_.outputs && k < start + W; ++k) {
        vf t = select(labels_ == (std::int32_t)k, broadcast(1.0f), vf{});
        for (Size r = 0; loss_.targets && r < rows_; ++r) t[r] = loss_.targets[index_[r] * loss_.outputs + k];
        work(k, load(turned_ + (k - start) * W), loss_.parameter != 0 ? keep * t + spread : t);
      }
    }
  }

  // Writes W values of each sample's row at `start`, from `columns` (W, W) with a class a row.
  void put(float* to, Size start, const float* columns) const {
    to += row_ * z_.stride + start;
    if (rows_ == W) return transpose_square(columns, W, to, z_.stride);
    alignas(64) float square[W * W];
    transpose_square(columns, W, square, W);
    for (Size r = 0; r < rows_; ++r) store(to + r * z_.stride, load(square + r * W));
  }

 private:
  void fetch(Size start) {
    if (start == fetched_) return;
    fetched_ = start;
    const float* from = z_.data + row_ * z_.stride + start;
    if (rows_ == W) return transpose_square(from, z_.stride, turned_, W);
    alignas(64) float square[W * W];
    for (Size r = 0; r < W; ++r) store(square + r * W, r < rows_ ? load(from + r * z_.stride) : vf{});
    transpose_square(square, W, turned_, W);
  }

  const Loss& loss_;
  const Block& z_;
  const std::int64_t* index_;
  const Size row_, rows_;
  vi labels_{};
  vf scale_{};
  Size fetched_ = -1;
  alignas(64) float turned_[W * W];
};

void cross_entropy(const Loss& loss, const Block& z, const std::int64_t* index, float* gradient, float* terms,
                   float* scores) {
  for (Size row = 0; row < z.rows; row += W) {
    Group group(loss, z, index, row);
    vf most = broadcast(-__builtin_inff()), top = most;  // the largest logit and target, and the first class with it
    vi answer{}, right{};
    group.each_class([&](Size k, vf logit, vf target) {
      const vi class_number = broadcast((std::int32_t)k);
      answer = logit > most ? class_number : answer;
      right = target > top ? class_number : right;
      most = select(logit > most, logit, most);
      top = select(target > top, target, top);
    });
    vf total{}, mass{}, known{};
    group.each_class([&](Size, vf logit, vf target) {
      total += exponential(logit - most);
      mass += target;
      known += target * (logit - most);
    });
    alignas(64) float columns[W * W];
    const vf share = mass / total;
    group.each_class([&](Size k, vf logit, vf target) {
      store(columns + k % W * W, (exponential(logit - most) * share - target) * group.scale());
      if (k % W != W - 1 && k != loss.outputs - 1) return;
      for (Size rest = k % W + 1; rest < W; ++rest) store(columns + rest * W, vf{});
      group.put(gradient, k / W * W, columns);
    });
    const vf term = mass * logarithm(total) - known;
    const vf score = select(answer == right, broadcast(1.0f), vf{});
    const int rows = (int)group.rows();
    if (rows == W) {
      store(terms + row, term);
      store(scores + row, score);
    } else {
      store_part(terms + row, term, rows);
      store_part(scores + row, score, rows);
    }
  }
}

// One output value, and its derivative, of the losses that treat every value by itself.
struct Value {
  vf term, derivative, score;
};

template <LossKind kind>
PELLUCID_INLINE Value compare(vf y, vf t, float parameter) {
  const vf zero{}, one = broadcast(1.0f);
  if constexpr (kind == LossKind::binary_cross_entropy) {
    const vf smoothed = parameter != 0 ? (1 - parameter) * t + parameter / 2 : t;
    const vf term = larger(zero, y) + logarithm_1_plus(exponential(zero - absolute(y))) - smoothed * y;
    return {term, sigmoid(y) - smoothed, select((y > zero) == (t > 0.5f), one, zero)};
  }
  const vf error = y - t, distance = absolute(error);
  if constexpr (kind == LossKind::mse) return {error * error, 2.0f * error, distance};
  if constexpr (kind == LossKind::mae) {
    const vf sign = select(error > zero, one, select(error < zero, zero - one, error));  // 0 stays, and so does NaN
    return {distance, sign, distance};
  }
  const vf bounded = smaller(broadcast(parameter), larger(broadcast(-parameter), error));
  return {bounded * (error - 0.5f * bounded), bounded, distance};
}

// The values of a few rows are laid out without gaps, so that a single output per sample fills vectors too.
template <LossKind kind>
void by_value(const Loss& loss, const Block& z, const std::int64_t* index, float* gradient, float* terms, float* scores) {
  constexpr Size room = 64 * W;
  float y[room], t[room], term[room], derivative[room], score[room];
  const Size outputs = loss.outputs;
  const float share = 1 / (float)outputs;
  for (Size r = 0; r < z.rows; ++r) terms[r] = scores[r] = 0;
  const Size columns = outputs < room ? outputs : room, rows = room / columns;
  for (Size row = 0; row < z.rows; row += rows)
    for (Size column = 0; column < outputs; column += columns) {
      const Size high = z.rows - row < rows ? z.rows - row : rows;
      const Size wide = outputs - column < columns ? outputs - column : columns;
      for (Size r = 0; r < high; ++r) {
        const std::int64_t sample = index[row + r];
        for (Size c = 0; c < wide; ++c) {
          y[r * wide + c] = z.data[(row + r) * z.stride + column + c];
          t[r * wide + c] =
              loss.targets ? loss.targets[sample * outputs + column + c] : (float)loss.labels[sample];
        }
      }
      const Size count = high * wide, whole = (count + W - 1) / W * W;
      for (Size i = count; i < whole; ++i) y[i] = t[i] = 0;
      for (Size i = 0; i < whole; i += W) {
        const Value value = compare<kind>(load(y + i), load(t + i), loss.parameter);
        store(term + i, value.term);
        store(derivative + i, value.derivative);
        store(score + i, value.score);
      }
      for (Size r = 0; r < high; ++r) {
        const std::int64_t sample = index[row + r];
        const float scale = (float)(loss.weights ? loss.weights[sample] * loss.scale : loss.scale) * share;
        float* to = gradient + (row + r) * z.stride + column;
        for (Size c = 0; c < wide; ++c) {
          terms[row + r] += term[r * wide + c] * share;
          scores[row + r] += score[r * wide + c] * share;
          to[c] = derivative[r * wide + c] * scale;
        }
      }
    }
  for (Size r = 0; r < z.rows; ++r)
    for (Size c = outputs; c < z.vectors * W; ++c) gradient[r * z.stride + c] = 0;
}

}  // namespace

void loss(const Loss& loss, const Block& logits, const std::int64_t* index, float* gradient, float* terms, float* scores) {
  switch (loss.kind) {
    case LossKind::cross_entropy: return cross_entropy(loss, logits, index, gradient, terms, scores);
    case LossKind::binary_cross_entropy:
      return by_value<LossKind::binary_cross_entropy>(loss, logits, index, gradient, terms, scores);
    case LossKind::mse: return by_value<LossKind::mse>(loss, logits, index, gradient, terms, scores);
    case LossKind::mae: return by_value<LossKind::mae>(loss, logits, index, gradient, terms, scores);
    case LossKind::huber: return by_value<LossKind::huber>(loss, logits, index, gradient, terms, scores);
  }
}

// The probability of each class, (rows, outputs) without gaps.
void softmax(const Block& logits, Size outputs, float* to) {
  for (Size r = 0; r < logits.rows; ++r, to += outputs) {
    float* row = logits.data + r * logits.stride;
    const float most = largest(row, logits.vectors, outputs);
    const float total = exponentials(row, logits.vectors, outputs, most, row);
    for (Size k = 0; k < outputs; ++k) to[k] = row[k] / total;
  }
}

// 1 - p and p from one logit a row, each from its own sigmoid so that the small one keeps its digits.
void yes_or_no(const Block& logits, float* to) {
  for (Size r = 0; r < logits.rows; ++r, to += 2) {
    const vf z = broadcast(logits.data[r * logits.stride]);
    to[0] = sigmoid(vf{} - z)[0];
    to[1] = sigmoid(z)[0];
  }
}

}  // namespace pellucid::PELLUCID_ISA
