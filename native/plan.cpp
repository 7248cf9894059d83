// The description of a plan, its memory, and the translation between its own layout and the flat vectors.
#include "plan.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <stdexcept>

#include "steps.hpp"

namespace pellucid {

Plan::Plan(const Kernels& kernels, Size inputs, std::uint64_t seed) : kernels_(kernels), seed_(seed), inputs_(inputs) {
  segments_.push_back({false, inputs, inputs, padded(inputs)});
}

int Plan::panel_vectors(Size columns, int panel) const {
  const Size left = columns - (Size)panel * kernels_.panel;
  return (int)((std::min<Size>(left, kernels_.panel) + kernels_.width - 1) / kernels_.width);
}

int Plan::add_array(Size rows, Size columns, bool is_weight) {
  Array array{flat_size_, packed_size_, rows, columns};
  array.is_weight = is_weight;
  flat_size_ += rows * columns;
  packed_size_ += rows * ((columns + 15) / 16 * 16);
  arrays_.push_back(array);
  return (int)arrays_.size() - 1;
}

void Plan::add_affine(Size units, Activation activation, bool bias, double l1, double l2) {
  Segment segment{true, segments_.back().units, units, padded(units), activation};
  segment.weight = add_array(segment.inputs, units, true);
  arrays_.back().l1 = l1;
  arrays_.back().l2 = l2;
  if (bias) segment.bias = add_array(1, units, false);
  for (const Segment& below : segments_) segment.needs_dx |= below.has_affine || below.normalizes;
  segments_.push_back(segment);
}

void Plan::add_dropout(double rate, std::uint64_t layer) {
  Operation operation{true};
  operation.threshold = (std::uint32_t)std::min(std::nearbyint(rate * 4294967296.0), 4294967295.0);
  operation.factor = (float)(1 / (1 - rate));
  operation.layer = layer;
  segments_.back().operations.push_back(operation);
}

void Plan::add_normalization(double momentum, double epsilon) {
  Segment& segment = segments_.back();
  Operation operation{false};
  operation.keep = (float)momentum;
  operation.take = (float)(1 - momentum);
  operation.epsilon = std::max((float)epsilon, FLT_MIN);  // anything smaller counts as zero while steps run
  operation.gamma = add_array(1, segment.units, false);
  operation.beta = add_array(1, segment.units, false);
  const Size width = (segment.units + 15) / 16 * 16;
  operation.flat_state = flat_state_size_;
  operation.moving_mean = state_size_;
  operation.moving_variance = state_size_ + width;
  flat_state_size_ += 2 * segment.units;
  state_size_ += 2 * width;
  segment.operations.push_back(operation);
  segment.normalizes = true;
}

void Plan::set_loss(LossKind kind, double parameter) {
  loss_ = kind;
  loss_parameter_ = (float)parameter;
}

void Plan::use_bf16() {
  if (!has_bf16(kernels_)) throw std::invalid_argument("this processor, or the instruction set chosen, has no bfloat16");
  bf16_ = true;
}

void Plan::set_optimizer(const Optimizer& optimizer) { optimizer_ = optimizer; }

int Plan::num_slots() const {
  switch (optimizer_.rule) {
    case Rule::descent: return 0;
    case Rule::adam: return 2;
    default: return 1;
  }
}

void Plan::allocate(Workspace& workspace, Size rows) const {
  const auto make_rounded = [&](Size stride) { return Rounded(rows, stride); };
  workspace.x[0] = Buffer(rows * padded(inputs_));
  if (bf16_) workspace.rounded_x[0] = make_rounded(padded(inputs_));
  for (const Segment& segment : segments_) {
    Workspace::Values values;
    const Size size = rows * segment.stride;
    if (segment.has_affine) values.a = Buffer(size);
    if (keeps_sum(segment.activation)) values.z = Buffer(size);
    values.gradient = Buffer(size);
    if (bf16_) {
      values.rounded = make_rounded(segment.stride);
      values.rounded_gradient = Buffer(size / 2);
    }
    for (const Operation& operation : segment.operations) {
      values.outputs.emplace_back(size);
      values.mean.emplace_back(operation.is_dropout ? 0 : segment.stride);
      values.inverse_std.emplace_back(operation.is_dropout ? 0 : segment.stride);
    }
    workspace.segments.push_back(std::move(values));
  }
}

void Plan::prepare(Size batch, int threads) {
  if (segments_.size() < 2 || batch < 1 || threads < 1) throw std::invalid_argument("a plan needs layers and samples");
  if (batch_ > 0) throw std::logic_error("a plan is prepared once");
  batch_ = batch;
  threads_ = threads;
  const bool normalizes = std::any_of(segments_.begin(), segments_.end(), [](const Segment& s) { return s.normalizes; });
  by_rows_ = packed_size_ <= most_parameters_by_rows && batch >= fewest_rows_by_rows && !normalizes;
  bf16_ &= !by_rows_;
  Size deepest = std::max(batch_block, depth_block);
  for (const Segment& segment : segments_) deepest = std::max(deepest, segment.inputs);
  parameters_ = Buffer(packed_size_);
  gradient_ = Buffer(packed_size_);
  first_ = Buffer(num_slots() > 0 ? packed_size_ : 0);
  second_ = Buffer(num_slots() > 1 ? packed_size_ : 0);
  state_ = Buffer(state_size_);
  terms_ = Buffer(batch);
  scores_ = Buffer(batch);
  norm_parts_.assign((packed_size_ + norm_block - 1) / norm_block, 0.0);
  if (by_rows_) group_gradients_ = Buffer(most_groups * packed_size_);
  else allocate(workspace_, batch);
  members_ = std::vector<Member>(threads);
  for (Member& member : members_) {
    member.gradient_tile = Buffer(std::max<Size>(12 * kernels_.panel, 1024));
    member.finite = Buffer(2 * kernels_.width);
    if (!by_rows_) {
      if (bf16_) member.paired = Buffer((deepest + 1) / 2 * kernels_.panel);
      member.turned = Buffer((depth_block + 16) * kernels_.panel);
      continue;
    }
    allocate(member.workspace, chunk_rows);
    for (const Segment& segment : segments_)
      member.turned_weights.emplace_back(segment.needs_dx ? padded(segment.units) * padded(segment.inputs) : 0);
  }
}

namespace {

// Between (rows, columns) row by row, and panel by panel.
template <class Copy>
void each_panel(const Kernels& kernels, Size rows, Size columns, Copy copy) {
  for (Size start = 0; start < columns; start += kernels.panel) {
    const Size wide = std::min<Size>(columns - start, kernels.panel);
    const Size stride = (wide + kernels.width - 1) / kernels.width * kernels.width;
    copy(start, start * rows, wide, stride);
  }
}

}  // namespace

void Plan::load(const float* parameters, const float* state, const float* first, const float* second) {
  const auto fill = [&](const float* from, float* to) {
    if (!from) return;
    for (const Array& array : arrays_)
      each_panel(kernels_, array.rows, array.columns, [&](Size column, Size place, Size wide, Size stride) {
        kernels_.pack(from + array.flat + column, array.columns, array.rows, wide, to + array.packed + place, stride);
      });
  };
  fill(parameters, parameters_);
  fill(first, first_);
  fill(second, second_);
  each_state([&](Size flat, Size packed, Size count) { std::copy_n(state + flat, count, state_ + packed); });
}

void Plan::store(float* parameters, float* state, float* first, float* second) const {
  const auto fill = [&](const float* from, float* to) {
    if (!to) return;
    for (const Array& array : arrays_)
      each_panel(kernels_, array.rows, array.columns, [&](Size column, Size place, Size wide, Size stride) {
        for (Size row = 0; row < array.rows; ++row)
          std::copy_n(from + array.packed + place + row * stride, wide, to + array.flat + row * array.columns + column);
      });
  };
  fill(parameters_, parameters);
  fill(first_, first);
  fill(second_, second);
  each_state([&](Size flat, Size packed, Size count) { std::copy_n(state_ + packed, count, state + flat); });
}

template <class Copy>
void Plan::each_state(Copy copy) const {
  for (const Segment& segment : segments_)
    for (const Operation& operation : segment.operations) {
      if (operation.is_dropout) continue;
      copy(operation.flat_state, operation.moving_mean, segment.units);
      copy(operation.flat_state + segment.units, operation.moving_variance, segment.units);
    }
}

}  // namespace pellucid
