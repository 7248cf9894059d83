// A plan's description and memory, and the way of parameters into it and out of it.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "runtime/sizes.hpp"
#include "plan/plan.hpp"

namespace pellucid {

namespace {

constexpr Size most_rows = 1 << 30;  // of a batch

}  // namespace

Plan::Plan(const Kernels& kernels, Size inputs, std::uint64_t seed)
    : kernels_(kernels), seed_(seed), inputs_(inputs), layout_(kernels) {
  segments_.push_back({false, inputs, inputs, padded(inputs)});
}

void Plan::describe_front(const std::function<void(Front&)>& add) {
  if (!front_) front_ = std::make_unique<Front>(kernels_, layout_, inputs_, Front::Vectors::packed);
  add(*front_);
  const Size width = front_->outputs();
  segments_ = {};
  segments_.push_back({false, width, width, padded(width)});
}

Images& Plan::begin_images(Size height, Size width, Size channels, bool is_compact) {
  images_ = std::make_unique<Images>(kernels_, layout_, height, width, channels, is_compact);
  return *images_;
}

void Plan::end_images() {
  images_->arrange();
  const Size outputs = images_->outputs();
  segments_ = {};
  segments_.push_back({false, outputs, outputs, padded(outputs)});
}

void Plan::add_affine(Size units, Activation activation, bool bias, double l1, double l2) {
  Segment segment{true, segments_.back().units, units, padded(units), activation};
  segment.weight = layout_.add(segment.inputs, units, true, l1, l2);
  if (bias) segment.bias = layout_.add(1, units);
  segment.needs_dx = (images_ && images_->has_parameters()) || learns();
  segments_.push_back(segment);
}

bool Plan::learns() const {
  return (front_ && front_->learns()) ||
         std::any_of(segments_.begin(), segments_.end(), [](const Segment& segment) { return segment.learns(); });
}

void Plan::add_scales(Size ensemble, Activation activation, bool shift) {
  if (batch_ > 0 || images_) throw std::invalid_argument("an ensemble cannot be added here");
  ensemble_ = check_ensemble(ensemble_, ensemble);
  Segment& segment = segments_.back();
  Operation operation{Operation::Kind::scales};
  operation.activation = activation;
  operation.scale = layout_.add(ensemble, segment.units);
  if (shift) operation.shift = layout_.add(ensemble, segment.units);
  segment.operations.push_back(operation);
}

void Plan::add_heads(Size units, bool bias, double l1, double l2) {
  if (batch_ > 0 || ensemble_ == 1 || units < 1) throw std::invalid_argument("no such heads");
  Segment segment{true, segments_.back().units, units, padded(units)};
  segment.heads = ensemble_;
  segment.weight = layout_.add(segment.inputs, units, true, l1, l2);
  for (Size head = 1; head < ensemble_; ++head) layout_.add(segment.inputs, units, true, l1, l2);
  if (bias) segment.bias = layout_.add(ensemble_, units);
  segment.needs_dx = learns();
  segments_.push_back(segment);
}

void Plan::add_dropout(double rate, std::uint64_t layer) {
  Operation operation{Operation::Kind::dropout};
  operation.threshold = (std::uint32_t)std::min(std::nearbyint(rate * 4294967296.0), 4294967295.0);
  operation.factor = (float)(1 / (1 - rate));
  operation.layer = layer;
  segments_.back().operations.push_back(operation);
}

void Plan::add_normalization(double momentum, double epsilon) {
  Segment& segment = segments_.back();
  Operation operation{Operation::Kind::normalization};
  operation.keep = (float)momentum;
  operation.take = (float)(1 - momentum);
  operation.epsilon = std::max((float)epsilon, FLT_MIN);  // anything smaller counts as zero while steps run
  operation.gamma = layout_.add(1, segment.units);
  operation.beta = layout_.add(1, segment.units);
  operation.moving_mean = layout_.add_state(segment.units);
  operation.moving_variance = layout_.add_state(segment.units);
  segment.operations.push_back(operation);
  segment.normalizes = segment.needs_columns = true;
}

void Plan::add_scaling(double rate) {
  Segment& segment = segments_.back();
  Operation operation{Operation::Kind::scaling};
  operation.change = layout_.add(1, segment.units);
  operation.rate = (float)rate;
  segment.operations.push_back(operation);
  segment.needs_columns = true;
}

void Plan::set_loss(LossKind kind, double parameter, std::vector<float> levels) {
  if (kind == LossKind::pinball &&
      ((Size)levels.size() != outputs() || levels.size() > MOST_LEVELS || !(parameter >= 0 && parameter < outputs())))
    throw std::invalid_argument("one level an output is expected, 99 at most, and one of them in the middle");
  loss_ = kind;
  loss_parameter_ = (float)parameter;
  levels_ = std::move(levels);
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
  workspace.segments.clear();
  const auto make_rounded = [&](Size stride) { return Rounded(rows, stride); };
  if (front_) workspace.front = front_->values(rows);
  workspace.x[0] = Buffer(rows * segments_[0].stride);
  if (bf16_) workspace.rounded_x[0] = make_rounded(segments_[0].stride);
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
      const bool normalizes = operation.kind == Operation::Kind::normalization;
      values.outputs.emplace_back(size);
      values.mean.emplace_back(normalizes ? segment.stride : 0);
      values.inverse_std.emplace_back(normalizes ? segment.stride : 0);
      values.sums.push_back(keeps_sum(operation.activation) ? Buffer(size) : Buffer());
      const auto pieces = [&](int table) { return table >= 0 ? num_pieces(rows) * layout_[table].stored() : 0; };
      values.dscale.emplace_back(pieces(operation.scale));
      values.dshift.emplace_back(pieces(operation.shift));
      values.dchange.emplace_back(operation.kind == Operation::Kind::scaling && ensemble_ > 1 ? pieces(operation.change) : 0);
    }
    workspace.segments.push_back(std::move(values));
  }
}

void Plan::prepare(Size batch, int threads) {
  if (segments_.size() < 2 || batch < 1 || threads < 1) throw std::invalid_argument("a plan needs layers and samples");
  if (batch_ > 0) throw std::logic_error("a plan is prepared once");
  if (batch > most_rows / ensemble_) throw std::invalid_argument("no such batch");
  batch *= ensemble_;
  threads_ = threads;
  const bool normalizes = std::any_of(segments_.begin(), segments_.end(), [](const Segment& s) { return s.normalizes; });
  const Size packed_size = layout_.packed_size();
  by_rows_ = !images_ && ensemble_ == 1 && packed_size <= most_parameters_by_rows && batch >= fewest_rows_by_rows &&
             !normalizes;
  bf16_ &= !by_rows_ && !images_ && ensemble_ == 1;
  Size deepest = std::max(batch_block, depth_block);
  for (const Segment& segment : segments_) deepest = std::max(deepest, segment.inputs);
  if (images_) images_workspace_ = images_->workspace(batch);  // the largest first: if memory is short, it fails here
  parameters_ = Buffer(packed_size);
  gradient_ = Buffer(packed_size);
  first_ = Buffer(num_slots() > 0 ? packed_size : 0);
  second_ = Buffer(num_slots() > 1 ? packed_size : 0);
  state_ = Buffer(layout_.state_size());
  terms_ = Buffer(batch);
  scores_ = Buffer(batch);
  norm_parts_.assign((packed_size + norm_block - 1) / norm_block, 0.0);
  if (by_rows_) group_gradients_ = Buffer(most_groups * packed_size);
  else allocate(workspace_, batch);
  if (images_) {
    transposed_ = Buffer(images_->transposed_size());
    group_gradients_ = Buffer(images_->groups_of(batch) * images_->packed_size());
  }
  members_ = std::vector<Member>(threads);
  for (Member& member : members_) {
    member.gradient_tile = Buffer(std::max<Size>(12 * kernels_.panel, 1024));
    member.finite = Buffer(2 * kernels_.width);
    if (images_) member.images = images_->scratch();
    if (!by_rows_) {
      if (bf16_) member.paired = Buffer((deepest + 1) / 2 * kernels_.panel);
      member.transposed = Buffer((depth_block + 16) * kernels_.panel);
      continue;
    }
    allocate(member.workspace, chunk_rows);
    for (const Segment& segment : segments_)
      member.transposed_weights.emplace_back(segment.needs_dx ? padded(segment.units) * padded(segment.inputs) : 0);
  }
  batch_ = batch;  // last of all: if an allocation fails, the plan is not prepared
}

void Plan::load(const float* parameters, const float* state, const float* first, const float* second) {
  layout_.pack(parameters, parameters_);
  if (first) layout_.pack(first, first_);
  if (second) layout_.pack(second, second_);
  layout_.pack_state(state, state_);
}

void Plan::store(float* parameters, float* state, float* first, float* second) const {
  layout_.unpack(parameters_, parameters);
  if (first) layout_.unpack(first_, first);
  if (second) layout_.unpack(second_, second);
  layout_.unpack_state(state_, state);
}

}  // namespace pellucid
