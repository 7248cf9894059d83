// An ensemble at work. Each sample has a row for each of its networks, one after the other, from the inputs to the loss, so
// that the products with shared weights are those of any rows. Here is what a network has of its own: the scales and shifts
// of its rows, and the weights of its output (its head), whose products take the rows of one network at a time.
#include <algorithm>

#include "runtime/sizes.hpp"
#include "plan/plan.hpp"

namespace pellucid {

// Rows of a task that are summed up by themselves, so that threads change no bit: whole samples.
Size Plan::rows_of_piece() const { return round_up(ensemble_block, ensemble_); }

Size Plan::num_pieces(Size rows) const { return (rows + rows_of_piece() - 1) / rows_of_piece(); }

EnsembleScales Plan::scales(const Operation& operation, Size column, Size row) const {
  const auto table = [&](int number) { return parameters_ + layout_[number].packed + column * ensemble_; };
  return {ensemble_, row % ensemble_, table(operation.scale), operation.shift >= 0 ? table(operation.shift) : nullptr};
}

// The way back through f(x scale + shift). The gradients of scale and shift are left for each piece of the rows.
void Plan::scales_backward(const Segment& segment, std::size_t number, Workspace::Values& values, const float* x,
                           const Task& task, const Block& dy) {
  const Operation& operation = segment.operations[number];
  const Size column = (Size)task.panel * kernels_.panel, at = task.from * segment.stride + column;
  const Size size = ensemble_ * (Size)dy.vectors * kernels_.width, piece = rows_of_piece();
  const Buffer& sums = values.sums[number];
  kernels_.activate_backward(operation.activation, dy, values.outputs[number] + at, sums ? sums + at : nullptr);
  for (Size row = task.from; row < task.to; row += piece) {
    const Size place = row / piece * layout_[operation.scale].stored() + column * ensemble_, from = (row - task.from) * dy.stride;
    float* dscale = values.dscale[number] + place;
    float* dshift = operation.shift >= 0 ? values.dshift[number] + place : nullptr;
    std::fill_n(dscale, size, 0.0f);
    if (dshift) std::fill_n(dshift, size, 0.0f);
    kernels_.ensemble_scale_backward(scales(operation, column, row), x + at + from,
                                    {dy.data + from, dy.stride, std::min(piece, task.to - row), dy.vectors}, dscale, dshift);
  }
}

// The gradient of one panel of a table of scales or shifts, or of a vector of factors: the sum over the pieces of the rows, in their order.
void Plan::add_pieces(int number, const float* pieces, Size column, Size count, Size rows) {
  const Size start = column * layout_[number].rows, next = layout_[number].stored();
  float* sum = gradient_ + layout_[number].packed + start;
  std::copy_n(pieces + start, count, sum);
  for (Size piece = 1; piece < num_pieces(rows); ++piece)
    for (Size i = 0; i < count; ++i) sum[i] += pieces[piece * next + start + i];
}

// The rows of [from, to) that belong to one network.
Plan::OwnRows Plan::rows_of(Size network, Size from, Size to) const {
  const Size first = from + (network + ensemble_ - from % ensemble_) % ensemble_;
  return {first, first < to ? (to - first + ensemble_ - 1) / ensemble_ : 0};
}

void Plan::forward_heads(std::size_t index, Workspace& ws, const Task& task, const Batch& batch) {
  const Segment& segment = segments_[index];
  const Size x_stride = segments_[index - 1].stride, column = (Size)task.panel * kernels_.panel;
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width;
  const float* x = input_of(index, ws, batch.buffer);
  float* z = ws.segments[index].a + column;
  for (Size head = 0; head < segment.heads; ++head) {
    const OwnRows own = rows_of(head, task.from, task.to);
    const float* weight = parameters_ + layout_[segment.weight + (int)head].packed + column * segment.inputs;
    for (Size k = 0; k < segment.inputs; k += depth_block) {
      Product p{x + own.first * x_stride + k, segment.heads * x_stride, 1, weight + k * width, width,
                z + own.first * segment.stride, segment.heads * segment.stride, own.count,
                std::min(depth_block, segment.inputs - k), vectors};
      p.accumulate = k > 0;
      if (k == 0 && segment.bias >= 0)
        p.bias = parameters_ + layout_[segment.bias].packed + column * segment.heads + head * width;
      kernels_.product(p);
    }
  }
}

// The gradient of the inputs of the heads, which lie in segment `index`.
void Plan::backward_heads(int member, std::size_t index, Workspace& ws, const Task& task) {
  const Segment &segment = segments_[index], &above = segments_[index + 1];
  const Size column = (Size)task.panel * kernels_.panel;
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width;
  const float *dz = ws.segments[index + 1].gradient, *transposed = members_[member].transposed;
  float* dx = ws.segments[index].gradient + column;
  for (Size head = 0; head < above.heads; ++head) {
    const OwnRows own = rows_of(head, task.from, task.to);
    for (Size unit = 0; unit < above.units; unit += depth_block) {
      const Size units = std::min(depth_block, above.units - unit);
      transpose_weights(index + 1, task.panel, unit, unit + units, members_[member].transposed, (int)head);
      Product p{dz + own.first * above.stride + unit, above.heads * above.stride, 1, transposed, width,
                dx + own.first * segment.stride, above.heads * segment.stride, own.count, units, vectors};
      p.accumulate = unit > 0;
      kernels_.product(p);
    }
  }
}

}  // namespace pellucid
