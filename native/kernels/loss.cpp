// Loss, gradient and metric of some rows of a batch, in one pass over the logits; formulas of
// pellucid/mathematics/losses.py.
//
//     terms[r]     the loss of sample r, without its weight
//     scores[r]    its metric: right or wrong for classes, the mean absolute error of the answer for real numbers
//     gradient     w_r / (sum of weights) * dl_r/dz
//
// The caller adds the terms up in double precision, in the order of the rows. Columns beyond the outputs get gradient 0.
#include "simd/simd.hpp"
#include "simd/transposition.hpp"
#include "simd/vector_math.hpp"
#include "kernels/kernels.hpp"

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

// Writes e^(z - max), with 0 in the lanes beyond the outputs, and returns the sum.
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

// W samples, one in each lane, with their targets; `each_output` goes through their outputs one after the other.
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
  }

  vi labels() const { return labels_; }
  vf scale() const { return scale_; }

  // Calls work(k, z, t) for each output k in order, with its target t: from rows of targets, or by `from_labels(k)`.
  template <class Labels, class Work>
  PELLUCID_INLINE void each_output(Labels from_labels, Work work) {
    for (Size start = 0; start < loss_.outputs; start += W) {
      const Size count = loss_.outputs - start < W ? loss_.outputs - start : W;
      if (start != fetched_) fetch(start, (int)count);
      for (Size k = 0; k < count; ++k)
        work(start + k, load(logits_ + k * W), loss_.targets ? load(targets_ + k * W) : from_labels(start + k));
    }
  }

  // Takes the gradient of output k. Every W outputs are written together, with 0 beyond the last output.
  PELLUCID_INLINE void put(Size k, vf gradient, float* to) {
    store(gradients_ + k % W * W, gradient);
    if (k % W != W - 1 && k != loss_.outputs - 1) return;
    for (Size rest = k % W + 1; rest < W; ++rest) store(gradients_ + rest * W, vf{});
    to += row_ * z_.stride + k / W * W;
    if (rows_ == W) return transpose_square(gradients_, W, to, z_.stride);
    alignas(64) float square[W * W];
    transpose_square(gradients_, W, square, W);
    for (Size r = 0; r < rows_; ++r) store(to + r * z_.stride, load(square + r * W));
  }

  void put_results(vf term, vf score, float* terms, float* scores) const {
    if (rows_ == W) {
      store(terms + row_, term);
      store(scores + row_, score);
    } else {
      store_part(terms + row_, term, (int)rows_);
      store_part(scores + row_, score, (int)rows_);
    }
  }

 private:
  // Transposes outputs [start, start + count) of all samples, so that each output is a vector; their targets likewise.
  void fetch(Size start, int count) {
    fetched_ = start;
    alignas(64) float square[W * W];
    const float* from = z_.data + row_ * z_.stride + start;
    if (rows_ == W) {
      transpose_square(from, z_.stride, logits_, W);
    } else {
      for (Size r = 0; r < W; ++r) store(square + r * W, r < rows_ ? load(from + r * z_.stride) : vf{});
      transpose_square(square, W, logits_, W);
    }
    if (!loss_.targets) return;
    for (Size r = 0; r < W; ++r) {
      const float* row = loss_.targets + (r < rows_ ? index_[r] : 0) * loss_.outputs + start;
      store(square + r * W, r >= rows_ ? vf{} : count < W ? load_part(row, count) : load(row));
    }
    transpose_square(square, W, targets_, W);
  }

  const Loss& loss_;
  const Block& z_;
  const std::int64_t* index_;
  const Size row_, rows_;
  vi labels_;
  vf scale_;
  Size fetched_ = -1;
  alignas(64) float logits_[W * W], targets_[W * W], gradients_[W * W];
};

// Targets are labels, or rows of probabilities; with smoothing s, t <- (1 - s) t + s / K.
void cross_entropy(const Loss& loss, const Block& z, const std::int64_t* index, float* gradient, float* terms,
                   float* scores) {
  const float keep = 1 - loss.parameter, spread = loss.parameter / (float)loss.outputs;
  const auto smoothed = [&](vf t) { return loss.parameter != 0 ? keep * t + spread : t; };
  for (Size row = 0; row < z.rows; row += W) {
    Group group(loss, z, index, row);
    const auto one_hot = [&](Size k) { return select(group.labels() == (std::int32_t)k, broadcast(1.0f), vf{}); };
    vf most = broadcast(-__builtin_inff()), top = most;  // the largest logit and target, and the first class with it
    vi answer{}, right{};
    group.each_output(one_hot, [&](Size k, vf logit, vf target) {
      const vi class_number = broadcast((std::int32_t)k);
      answer = logit > most ? class_number : answer;
      right = target > top ? class_number : right;
      most = select(logit > most, logit, most);
      top = select(target > top, target, top);
    });
    vf total{}, mass{}, known{};
    group.each_output(one_hot, [&](Size, vf logit, vf target) {
      total += exponential(logit - most);
      mass += smoothed(target);
      known += smoothed(target) * (logit - most);
    });
    const vf share = mass / total;
    group.each_output(one_hot, [&](Size k, vf logit, vf target) {
      group.put(k, (exponential(logit - most) * share - smoothed(target)) * group.scale(), gradient);
    });
    const vf score = select(answer == right, broadcast(1.0f), vf{});
    group.put_results(mass * logarithm(total) - known, score, terms, scores);
  }
}

// Quantiles: with e = t - z the loss of each level q is max(q e, (q - 1) e). The score is the error of the answer in the
// middle: answers are the outputs in ascending order, which `sorted` is after as many rounds of exchanges as it is long.
void pinball(const Loss& loss, const Block& z, const std::int64_t* index, float* gradient, float* terms, float* scores) {
  const vf zero{};
  const float share = 1 / (float)loss.outputs;
  for (Size row = 0; row < z.rows; row += W) {
    Group group(loss, z, index, row);
    const vf scale = group.scale() * share;
    vf term{}, target{}, sorted[MOST_LEVELS];
    group.each_output([&](Size) { return to_float(group.labels()); }, [&](Size k, vf y, vf t) {
      const vf error = t - y, above = broadcast(loss.levels[k]), below = above - 1.0f;
      term += larger(above * error, below * error);
      // 0 stays, and so does NaN
      group.put(k, select(error > zero, zero - above, select(error < zero, zero - below, error)) * scale, gradient);
      sorted[k] = y;
      target = t;
    });
    for (int round = 0; round < loss.outputs; ++round)
      for (int k = round % 2; k + 1 < loss.outputs; k += 2) {
        const vf low = smaller(sorted[k], sorted[k + 1]);
        sorted[k + 1] = larger(sorted[k], sorted[k + 1]);
        sorted[k] = low;
      }
    group.put_results(term * share, absolute(sorted[(int)loss.parameter] - target), terms, scores);
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
  if constexpr (kind == LossKind::poisson) {
    const vf mean = exponential(y), error = mean - t;
    return {error - select(t > zero, t * (y - logarithm(t)), zero), error, absolute(error)};
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

template <LossKind kind>
void by_value(const Loss& loss, const Block& z, const std::int64_t* index, float* gradient, float* terms, float* scores) {
  const float share = 1 / (float)loss.outputs;
  for (Size row = 0; row < z.rows; row += W) {
    Group group(loss, z, index, row);
    const vf scale = group.scale() * share;
    vf term{}, score{};
    group.each_output([&](Size) { return to_float(group.labels()); }, [&](Size k, vf y, vf t) {
      const Value value = compare<kind>(y, t, loss.parameter);
      term += value.term;
      score += value.score;
      group.put(k, value.derivative * scale, gradient);
    });
    group.put_results(term * share, score * share, terms, scores);
  }
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
    case LossKind::poisson: return by_value<LossKind::poisson>(loss, logits, index, gradient, terms, scores);
    case LossKind::pinball: return pinball(loss, logits, index, gradient, terms, scores);
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

// 1 - p and p of each row, from its one logit. Each is a sigmoid of its own, so that the smaller one keeps its digits.
void yes_or_no(const Block& logits, float* to) {
  for (Size r = 0; r < logits.rows; ++r, to += 2) {
    const vf z = broadcast(logits.data[r * logits.stride]);
    to[0] = sigmoid(vf{} - z)[0];
    to[1] = sigmoid(z)[0];
  }
}

}  // namespace pellucid::PELLUCID_ISA
