// From gradients to updates: adding up groups, clipping by norm, updating parameters.
#include <algorithm>
#include <cmath>

#include "runtime/sizes.hpp"
#include "plan/plan.hpp"

namespace pellucid {

// By rows: the member's part of an array. The gradients of all groups are added up in their order, then comes the update.
void Plan::add_groups(int member, const Batch& batch, const Array& array, Size groups, Size group_size) {
  const Update update = update_for(array, batch);
  const Size vectors = array.rows * ((array.columns + 15) / 16);
  const Share part = share_of(member, threads_, vectors);
  for (Size start = part.from * 16; start < part.to * 16; start += 1024) {
    const Size place = array.packed + start, count = std::min<Size>(1024, part.to * 16 - start);
    float* sum = clips_norm() ? gradient_ + place : (float*)members_[member].gradient_tile;
    std::copy_n(group_gradients_ + place, count, sum);
    for (Size group = 1; group < groups; ++group) {
      const float* more = group_gradients_ + group * group_size + place;
      for (Size i = 0; i < count; ++i) sum[i] += more[i];
    }
    if (clips_norm()) kernels_.add_penalty(update, count, parameters_ + place, sum);
    else update_range(member, update, place, count, sum);
  }
}

// By columns: bias, gamma and beta, scales and shifts, and the changes of factors of one panel. The gradients of all but the
// bias were computed on the way back.
void Plan::update_small(int member, std::size_t index, int panel, const Batch& batch) {
  const Segment& segment = segments_[index];
  const int vectors = panel_vectors(segment.units, panel);
  const Size column = (Size)panel * kernels_.panel, width = (Size)vectors * kernels_.width;
  const auto finish = [&](int number) {  // a vector, or a table with a row for each network of an ensemble
    const Array& array = layout_[number];
    const Size place = array.packed + column * array.rows;
    if (!clips_norm()) update_range(member, update_for(array, batch), place, width * array.rows, gradient_ + place);
  };
  const Workspace::Values& values = workspace_.segments[index];
  if (segment.bias >= 0) {
    float* sums = gradient_ + layout_[segment.bias].packed + column * segment.heads;
    for (Size head = 0; head < segment.heads; ++head)
      kernels_.column_sums({values.gradient + head * segment.stride + column, segment.heads * segment.stride,
                            batch.rows / segment.heads, vectors},
                           sums + head * width, false);
    finish(segment.bias);
  }
  for (std::size_t k = 0; k < segment.operations.size(); ++k) {
    const Operation& operation = segment.operations[k];
    if (operation.kind == Operation::Kind::normalization) {
      finish(operation.gamma);
      finish(operation.beta);
    } else if (operation.kind == Operation::Kind::scaling) {
      if (ensemble_ > 1) add_pieces(operation.change, values.dchange[k], column, width, batch.rows);
      finish(operation.change);
    } else if (operation.kind == Operation::Kind::scales) {
      add_pieces(operation.scale, values.dscale[k], column, width * ensemble_, batch.rows);
      finish(operation.scale);
      if (operation.shift < 0) continue;
      add_pieces(operation.shift, values.dshift[k], column, width * ensemble_, batch.rows);
      finish(operation.shift);
    }
  }
}

// By columns: the member's part of an array whose gradient is known.
void Plan::update_whole(int member, const Batch& batch, const Array& array) {
  const Update update = update_for(array, batch);
  const Share part = share_of(member, threads_, array.rows * ((array.columns + 15) / 16));
  const Size place = array.packed + part.from * 16, count = (part.to - part.from) * 16;
  if (clips_norm()) kernels_.add_penalty(update, count, parameters_ + place, gradient_ + place);
  else update_range(member, update, place, count, gradient_ + place);
}

void Plan::update_range(int member, const Update& update, Size place, Size count, const float* gradient) {
  kernels_.update(update, count, parameters_ + place, gradient, first_ + place, second_ + place, members_[member].finite);
}

// Clipping by global norm: sums of squares in fixed blocks, which every member adds up in the same order. False if the norm
// is not finite.
bool Plan::scale_to_norm(int member, Batch& batch) {
  const Share part = share_of(member, threads_, (Size)norm_parts_.size());
  for (Size block = part.from; block < part.to; ++block) {
    double sum = 0;
    for (Size i = block * norm_block; i < std::min((block + 1) * norm_block, layout_.packed_size()); ++i)
      sum += (double)gradient_[i] * gradient_[i];
    norm_parts_[block] = sum;
  }
  team_->barrier();
  double total = 0;
  for (double sum : norm_parts_) total += sum;
  const double norm = std::sqrt(total);
  if (norm > optimizer_.norm_bound) batch.scale = optimizer_.norm_bound / norm;
  return std::isfinite(norm);
}

// The update of everything, once the whole gradient is known.
void Plan::update_flat(int member, const Batch& batch) {
  for (const Array& array : layout_.arrays()) {
    Update update = update_for(array, batch);
    update.l1 = update.twice_l2 = 0;  // the gradient of the penalty has been added already
    const Share part = share_of(member, threads_, array.rows * ((array.columns + 15) / 16));
    const Size place = array.packed + part.from * 16;
    update_range(member, update, place, (part.to - part.from) * 16, gradient_ + place);
  }
}

Update Plan::update_for(const Array& array, const Batch& batch) const {
  const Optimizer& o = optimizer_;
  Update update;
  update.rule = o.rule;
  update.rate = (float)batch.rate;
  update.epsilon = (float)o.epsilon;
  update.keep1 = (float)o.momentum;
  update.bound = (float)o.bound;
  update.scale = (float)batch.scale;
  if (o.rule == Rule::rmsprop) update.take1 = (float)(1 - o.decay);
  if (o.rule == Rule::adam) {  // the bias corrections go into rate and epsilon, so that an element needs one division
    const double root = std::sqrt(1 - std::pow(o.beta2, (double)batch.update));
    update.rate = (float)(batch.rate * root / (1 - std::pow(o.beta1, (double)batch.update)));
    update.epsilon = (float)(o.epsilon * root);
    update.take1 = (float)(1 - o.beta1);
    update.take2 = (float)(1 - o.beta2);
  }
  if (array.is_weight) {
    update.l1 = (float)array.l1;
    update.twice_l2 = (float)(2 * array.l2);
    update.shrink = (float)(1 - batch.rate * o.weight_decay);
  }
  return update;
}

}  // namespace pellucid
