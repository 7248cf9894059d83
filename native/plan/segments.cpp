// The segments of a plan at work: forward, the loss, back, and the gradients of the weights.
#include <algorithm>
#include <cmath>

#include "runtime/random.hpp"
#include "runtime/sizes.hpp"
#include "plan/plan.hpp"

namespace pellucid {

const float* Plan::input_of(std::size_t index, const Workspace& ws, int buffer) const {
  const Segment& below = segments_[index - 1];
  if (!below.operations.empty()) return ws.segments[index - 1].outputs.back();
  return below.has_affine ? ws.segments[index - 1].a : ws.x[buffer];
}

// Whether the input of a segment has the zeros of the data: what comes before it keeps a zero.
bool Plan::may_skip_zeros(std::size_t index) const { return skips_zeros_ && index == 1 && !segments_[0].normalizes; }

const Plan::Rounded& Plan::rounded_input_of(std::size_t index, const Workspace& ws, int buffer) const {
  const Segment& below = segments_[index - 1];
  return below.has_affine || !below.operations.empty() ? ws.segments[index - 1].rounded : ws.rounded_x[buffer];
}

// The B of a product in bfloat16, in memory of the member: pairs of neighbors in a column.
const float* Plan::pair_panel(int member, const float* from, Size stride, Size rows, int vectors) {
  float* to = members_[member].paired;
  kernels_.pair_rows({const_cast<float*>(from), stride, rows, vectors}, to, (Size)vectors * kernels_.width);
  return to;
}

Normalization Plan::normalization(const Operation& operation, Workspace::Values& values, std::size_t number, Size column) {
  const Size gamma = layout_[operation.gamma].packed + column, beta = layout_[operation.beta].packed + column;
  return {parameters_ + gamma, parameters_ + beta, state_ + operation.moving_mean + column,
          state_ + operation.moving_variance + column, values.mean[number] + column, values.inverse_std[number] + column,
          gradient_ + gamma, gradient_ + beta, operation.keep, operation.take, operation.epsilon};
}

Mask Plan::mask(const Operation& operation, std::uint64_t step) const {
  const std::uint64_t key = random_key(seed_, Purpose::dropout, step, operation.layer);
  return {(std::uint32_t)key, (std::uint32_t)(key >> 32), operation.threshold, operation.factor};
}

// `gradient` is that of all parameters.
Scaling Plan::scaling(const Operation& operation, Size column, float* gradient, bool accumulate) const {
  const Size place = layout_[operation.change].packed;
  return {parameters_ + place + column, gradient + place + column, operation.rate, accumulate};
}

void Plan::forward(int member, std::size_t index, Workspace& ws, const Task& task, const Batch& batch, Size first_row) {
  const Segment& segment = segments_[index];
  Workspace::Values& values = ws.segments[index];
  const Size column = (Size)task.panel * kernels_.panel, at = task.from * segment.stride + column;
  const int vectors = panel_vectors(segment.units, task.panel);
  const float* from = index == 0 ? ws.x[batch.buffer] : values.a;
  if (segment.heads > 1) {
    forward_heads(index, ws, task, batch);
  } else if (segment.has_affine) {
    const float* x = input_of(index, ws, batch.buffer);
    const Size x_stride = segments_[index - 1].stride, width = (Size)vectors * kernels_.width;
    const float* weight = parameters_ + layout_[segment.weight].packed + column * segment.inputs;
    const float* bias = segment.bias >= 0 ? parameters_ + layout_[segment.bias].packed + column : nullptr;
    const float* pairs = bf16_ ? pair_panel(member, weight, width, segment.inputs, vectors) : nullptr;
    for (Size row = task.from; row < task.to; row += row_block) {
      const Size rows = std::min(row_block, task.to - row);
      const Block block{values.a + row * segment.stride + column, segment.stride, rows, vectors};
      if (bf16_) {
        const float* rounded = rounded_input_of(index, ws, batch.buffer).rows + row * x_stride / 2;
        Product p{rounded, x_stride / 2, 1, pairs, width, block.data, segment.stride, block.rows, (segment.inputs + 1) / 2,
                  vectors, bias};
        p.skips_zeros = may_skip_zeros(index);
        kernels_.product_bf16(p);
      }
      for (Size k = 0; !bf16_ && k < segment.inputs; k += depth_block) {
        Product p{x + row * x_stride + k, x_stride, 1, weight + k * width, width, block.data, segment.stride, block.rows,
                  std::min(depth_block, segment.inputs - k), vectors};
        p.skips_zeros = may_skip_zeros(index);
        if (k > 0) p.accumulate = true;
        else p.bias = bias;
        kernels_.product(p);
      }
      kernels_.activate(segment.activation, block, values.z ? values.z + row * segment.stride + column : nullptr);
    }
  }
  for (std::size_t k = 0; k < segment.operations.size(); ++k) {
    const Operation& operation = segment.operations[k];
    const Block block{values.outputs[k] + at, segment.stride, task.to - task.from, vectors};
    if (operation.kind == Operation::Kind::dropout) {
      kernels_.dropout(mask(operation, batch.step), from + at, block,
                       (std::uint32_t)((first_row + task.from) * segment.units + column), (std::uint32_t)segment.units);
    } else if (operation.kind == Operation::Kind::scales) {
      kernels_.ensemble_scale(scales(operation, column, task.from), from + at, segment.stride, block);
      kernels_.activate(operation.activation, block, values.sums[k] ? values.sums[k] + at : nullptr);
    } else if (operation.kind == Operation::Kind::scaling) {
      kernels_.scale_columns(scaling(operation, column, gradient_, false), from + at, block);
    } else {
      kernels_.normalize(normalization(operation, values, k, column), from + at, block);
    }
    from = values.outputs[k];
  }
  if (bf16_ && index + 1 < segments_.size()) {
    const Block block{const_cast<float*>(from) + at, segment.stride, task.to - task.from, vectors};
    kernels_.round_rows(block, values.rounded.rows + at / 2);
    kernels_.pair_rows(block, values.rounded.pairs + task.from / 2 * segment.stride + column, segment.stride);
  }
}

void Plan::loss_of_rows(Workspace& ws, Size from, Size to, const Batch& batch, Size first_row) {
  const Segment& segment = segments_.back();
  Workspace::Values& values = ws.segments.back();
  const int vectors = (int)((segment.units + kernels_.width - 1) / kernels_.width);
  const Size row = first_row + from;
  kernels_.loss(batch.loss, {values.a + from * segment.stride, segment.stride, to - from, vectors}, batch.index + row,
                values.gradient + from * segment.stride, terms_ + row, scores_ + row);
  if (bf16_)
    kernels_.round_rows({values.gradient + from * segment.stride, segment.stride, to - from, vectors},
                        values.rounded_gradient + from * segment.stride / 2);
}

// The means over the batch, in double precision and in the order of the samples. Each member computes them, so that all
// know whether the loss is finite.
bool Plan::mean_loss(int member, const Batch& batch, double* loss, double* score) {
  double terms[4] = {}, points[4] = {};  // four sums side by side are faster than one; their order is always the same
  const double* weights = batch.data->weights;
  for (Size r = 0; r < batch.rows; ++r) {
    const double weight = weights ? weights[batch.index[r]] : 1.0;
    if (weight == 0) continue;
    terms[r % 4] += weight * terms_[r];
    points[r % 4] += weight * scores_[r];
  }
  const double mean = ((terms[0] + terms[1]) + (terms[2] + terms[3])) * batch.loss.scale;
  if (member == 0) {
    *loss = mean;
    *score = ((points[0] + points[1]) + (points[2] + points[3])) * batch.loss.scale;
  }
  return std::isfinite(mean);
}

// Rows [from_unit, to_unit) of the transposed weights, for the inputs of one panel: (units, panel).
void Plan::transpose_weights(std::size_t index, int panel, Size from_unit, Size to_unit, float* to, int head) const {
  const Segment& segment = segments_[index];
  const Size start = (Size)panel * kernels_.panel, count = std::min<Size>(kernels_.panel, segment.inputs - start);
  const Size width = (Size)panel_vectors(segment.inputs, panel) * kernels_.width;
  const float* weight = parameters_ + layout_[segment.weight + head].packed;
  for (Size unit = from_unit; unit < to_unit; unit += kernels_.panel, to += kernels_.panel * width) {
    const int vectors = panel_vectors(segment.units, (int)(unit / kernels_.panel));
    const Size stride = (Size)vectors * kernels_.width;
    for (Size u = 0; count < width && u < stride; ++u) std::fill_n(to + u * width + count, width - count, 0.0f);
    kernels_.transpose(weight + unit * segment.inputs + start * stride, stride, count, vectors, to, width);
  }
}

void Plan::backward(int member, std::size_t index, Workspace& ws, const Task& task, const Batch& batch, Size first_row,
                    const float* transposed, float* gradient, bool accumulate) {
  const Segment &segment = segments_[index], &above = segments_[index + 1];
  Workspace::Values& values = ws.segments[index];
  const Size column = (Size)task.panel * kernels_.panel, at = task.from * segment.stride + column;
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width, rows = task.to - task.from;
  const float* dz = ws.segments[index + 1].gradient + task.from * above.stride;
  if (above.heads > 1) backward_heads(member, index, ws, task);
  for (Size unit = 0; above.heads == 1 && unit < above.units; unit += depth_block) {
    const Size units = std::min(depth_block, above.units - unit);
    if (!transposed) transpose_weights(index + 1, task.panel, unit, unit + units, members_[member].transposed);
    const float* weight = transposed ? transposed + unit * width : members_[member].transposed;
    Product p{dz + unit, above.stride, 1, weight, width, values.gradient + at, segment.stride, rows, units, vectors};
    p.accumulate = unit > 0;
    if (bf16_) {
      p.a = ws.segments[index + 1].rounded_gradient + (task.from * above.stride + unit) / 2;
      p.a_row = above.stride / 2;
      p.b = pair_panel(member, weight, width, units, vectors);
      p.depth = (units + 1) / 2;
      kernels_.product_bf16(p);
    } else {
      kernels_.product(p);
    }
  }
  const Block dy{values.gradient + at, segment.stride, rows, vectors};
  for (std::size_t k = segment.operations.size(); k-- > 0;) {
    const Operation& operation = segment.operations[k];
    const float* x = k > 0 ? values.outputs[k - 1] : segment.has_affine ? values.a : ws.x[batch.buffer];
    if (operation.kind == Operation::Kind::dropout) {
      kernels_.dropout(mask(operation, batch.step), dy.data, dy,
                       (std::uint32_t)((first_row + task.from) * segment.units + column), (std::uint32_t)segment.units);
    } else if (operation.kind == Operation::Kind::scales) {
      scales_backward(segment, k, values, x, task, dy);
    } else if (operation.kind == Operation::Kind::scaling) {
      Scaling factors = scaling(operation, column, gradient, accumulate);
      if (ensemble_ > 1)  // a task is one piece of the rows
        factors.dchange = values.dchange[k] + task.from / rows_of_piece() * layout_[operation.change].stored() + column;
      kernels_.scale_columns_backward(factors, x + at, dy);
    } else {
      kernels_.normalize_backward(normalization(operation, values, k, column), x + at, dy);
    }
  }
  if (segment.has_affine)
    kernels_.activate_backward(segment.activation, dy, values.a + at, values.z ? values.z + at : nullptr);
  if (bf16_) kernels_.round_rows(dy, values.rounded_gradient + at / 2);
}

// By columns: rows [from, to) of a panel of dW = x^T dz, as far as some of the samples give it. With the last of them comes the
// update, tile by tile. Of an output with several heads, that of one head, whose rows of x and dz are every `heads`th.
void Plan::weight_gradient(int member, std::size_t index, const Task& task, const Batch& batch, Share part, Size head) {
  const Segment& segment = segments_[index];
  const Array& array = layout_[segment.weight + (int)head];
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width, column = (Size)task.panel * kernels_.panel;
  const Size base = array.packed + column * segment.inputs, height = kernels_.tile_rows[vectors];
  const Size x_row = segments_[index - 1].stride, x_stride = segment.heads * x_row, dz_stride = segment.heads * segment.stride;
  const Size samples = part.to - part.from;
  const bool is_last = part.to == batch.rows / segment.heads, at_once = part.from == 0 && is_last && !clips_norm();
  const float* x = input_of(index, workspace_, batch.buffer) + head * x_row + part.from * x_stride;
  const float* dz = workspace_.segments[index].gradient + head * segment.stride + part.from * dz_stride + column;
  const float* pairs = bf16_ ? pair_panel(member, dz, dz_stride, samples, vectors) : nullptr;
  const Update update = update_for(array, batch);
  for (Size row = task.from; row < task.to; row += height) {
    const Size place = base + row * width, rows = std::min(height, task.to - row);
    float* gradient = at_once ? (float*)members_[member].gradient_tile : gradient_ + place;
    Product p{x + row, 1, x_stride, dz, dz_stride, gradient, width, rows, samples, vectors};
    p.accumulate = part.from > 0;
    p.skips_zeros = may_skip_zeros(index);
    if (bf16_) {
      p.a = rounded_input_of(index, workspace_, batch.buffer).pairs + part.from / 2 * x_stride + row;
      p.b = pairs;
      p.b_row = width;
      p.depth = (samples + 1) / 2;
      kernels_.product_bf16(p);
    } else {
      kernels_.product(p);
    }
    if (!is_last) continue;
    if (clips_norm()) kernels_.add_penalty(update, rows * width, parameters_ + place, gradient);
    else update_range(member, update, place, rows * width, gradient);
  }
}

// By rows: the gradient of one chunk, added to that of its group.
void Plan::chunk_gradient(std::size_t index, Workspace& ws, Size rows, float* gradient, bool accumulate) {
  const Segment& segment = segments_[index];
  for (int panel = 0; panel < num_panels(segment.units); ++panel) {
    const int vectors = panel_vectors(segment.units, panel);
    const Size width = (Size)vectors * kernels_.width, column = (Size)panel * kernels_.panel;
    float* dz = ws.segments[index].gradient + column;
    Product p{input_of(index, ws, 0), 1, segments_[index - 1].stride, dz, segment.stride,
              gradient + layout_[segment.weight].packed + column * segment.inputs, width, segment.inputs, rows, vectors};
    p.accumulate = accumulate;
    kernels_.product(p);
    if (segment.bias >= 0)
      kernels_.column_sums({dz, segment.stride, rows, vectors}, gradient + layout_[segment.bias].packed + column,
                           accumulate);
  }
}

}  // namespace pellucid
