// Convolutions as nodes of the image part: what their kernels are given, forward and back.
#include <algorithm>
#include <span>

#include "images/images.hpp"

namespace pellucid {

namespace {

// The distances from sample to sample, and from pixel to pixel.
struct Strides {
  Size sample, down, across;
};

// Calls f(row, place in A, place in C, count, A's stride, C's stride) for runs of pixels (height, width) of samples
// [from, to). A run is a row of one sample or, where images are narrow, the same pixel of all samples.
template <class F>
void each_run(Size height, Size width, Size from, Size to, const Strides& a, const Strides& c, F f) {
  if (is_narrow(width, to - from)) {
    for (Size y = 0; y < height; ++y)
      for (Size x = 0; x < width; ++x)
        f(y, from * a.sample + y * a.down + x * a.across, from * c.sample + y * c.down + x * c.across, to - from, a.sample,
          c.sample);
    return;
  }
  for (Size s = from; s < to; ++s)
    for (Size y = 0; y < height; ++y) f(y, s * a.sample + y * a.down, s * c.sample + y * c.down, width, a.across, c.across);
}

}  // namespace

std::span<const Tap> inside(const std::vector<Tap>& taps, Size row, Size height) {
  const auto is_outside = [&](const Tap& tap) { return row + tap.row < 0 || row + tap.row >= height; };
  std::span<const Tap> left(taps);
  while (!left.empty() && is_outside(left.front())) left = left.subspan(1);
  while (!left.empty() && is_outside(left.back())) left = left.first(left.size() - 1);
  return left;
}

void Images::convolve(int number, Pass& pass, Size from, Size to) const {
  const Node& node = nodes_[number];
  const ImageShape &in = nodes_[node.input].shape, &out = node.shape;
  const Window& w = node.window;
  const Size outputs = group_outputs(node);
  const float* x = pass.workspace[node.input].value + in.origin() - w.top * in.row() - w.left * in.pixel;
  float *y = pass.workspace[number].value + out.origin(), *z = pass.workspace[number].z;
  const Strides a{in.sample(), w.down * in.row(), w.across * in.pixel}, c{out.sample(), out.row(), out.pixel};
  for (Size group = 0; group < node.groups; ++group) {
    const Array& array = layout_[node.weight + (int)group];
    for (int panel = 0; panel < layout_.num_panels(outputs); ++panel) {
      const Size column = (Size)panel * kernels_.panel, count = std::min<Size>(kernels_.panel, outputs - column);
      const Size width = round_up(count, kernels_.width), place = group * outputs + column;
      const float* weight = pass.parameters + array.packed + column * array.rows;
      const float* bias = node.bias < 0 ? nullptr : pass.parameters + layout_[node.bias].packed + place;
      const float* source = x + (node.kind == Kind::channelwise ? column : group * group_inputs(node));
      each_run(out.height, out.width, from, to, a, c, [&](Size row, Size a_at, Size c_at, Size rows, Size a_row,
                                                          Size c_row) {
        float* result = y + c_at + place;
        const auto taps = inside(node.taps, row * w.down, in.height);
        Convolution work{source + a_at, a_row, weight, width, result, c_row, rows, (int)(width / kernels_.width),
                         taps.data(), (Size)taps.size(), node.depth, bias};
        if (node.kind == Kind::channelwise) {
          work.a_depth = in.pixel;
          kernels_.convolve_channels(work);
        } else if (node.groups == 1) {
          kernels_.convolve(work);
        } else {  // the vectors of a group reach into the next one: only its own numbers are kept
          work.c = pass.own.plane;
          work.c_row = width;
          kernels_.convolve(work);
          for (Size r = 0; r < rows; ++r) std::copy_n(work.c + r * width, count, result + r * c_row);
          return;
        }
        float* sums = z ? z + out.origin() + c_at + place : nullptr;
        kernels_.activate(node.activation, {result, c_row, rows, work.vectors}, sums);
      });
    }
  }
  if (node.groups > 1)
    for (Size s = from; s < to; ++s) activate(number, pass, s);
}

// The gradient of the input: for each phase a convolution of dz with the transposed weights.
void Images::convolve_back(int number, Pass& pass, Size from, Size to) const {
  const Node& node = nodes_[number];
  const ImageShape &dz = node.gradient, &dx = nodes_[node.input].gradient;
  const Window& w = node.window;
  const bool channelwise = node.kind == Kind::channelwise;
  const Size inputs = channelwise ? dx.channels : group_inputs(node);
  const Size rows = w.taps() * round_up(group_outputs(node), kernels_.width);  // of transposed weights
  const float* gradient = pass.workspace[number].gradient + dz.origin();
  float* to_gradient = pass.workspace[node.input].gradient + dx.origin();
  for (Size group = 0; group < node.groups; ++group)
    for (int panel = 0; panel < layout_.num_panels(inputs); ++panel) {
      const Size column = (Size)panel * kernels_.panel, count = std::min<Size>(kernels_.panel, inputs - column);
      const Size width = round_up(count, kernels_.width), place = group * inputs + column;
      const Size transposed = node.transposed + (group * round_up(inputs, kernels_.width) + column) * rows;
      const float* weight = channelwise ? pass.parameters + layout_[node.weight].packed + column * w.taps()
                                        : pass.transposed + transposed;
      const float* source = gradient + (channelwise ? column : group * group_outputs(node));
      for (const Phase& phase : node.phases) {
        const Strides a{dz.sample(), dz.row(), dz.pixel}, c{dx.sample(), w.down * dx.row(), w.across * dx.pixel};
        const Size start = phase.row * dx.row() + phase.column * dx.pixel + place;
        const Size height = (dx.height - phase.row + w.down - 1) / w.down;
        const Size across = (dx.width - phase.column + w.across - 1) / w.across;
        each_run(height, across, from, to, a, c, [&](Size row, Size a_at, Size c_at, Size pixels, Size a_row, Size c_row) {
          float* result = to_gradient + c_at + start;
          const auto taps = inside(phase.taps, row, dz.height);
          Convolution work{source + a_at, a_row, weight, width, result, c_row, pixels, (int)(width / kernels_.width),
                           taps.data(), (Size)taps.size(), node.depth_back, nullptr, node.adds};
          work.a_depth = -dz.pixel;
          if (channelwise) return kernels_.convolve_channels(work);
          if (node.groups == 1) return kernels_.convolve(work);
          work.c = pass.own.plane;
          work.c_row = width;
          work.accumulate = false;
          kernels_.convolve(work);
          for (Size r = 0; r < pixels; ++r)
            for (Size i = 0; i < count; ++i)
              result[r * c_row + i] = work.c[r * width + i] + (node.adds ? result[r * c_row + i] : 0.0f);
        });
      }
    }
}

// The same for few channels: a pixel of dz times a row of the window's weights is added to all pixels that this row of the
// window covers. The sums are made in a plane of their own, without gaps between pixels.
void Images::scatter_back(int number, Pass& pass, Size sample) const {
  const Node& node = nodes_[number];
  const Window& w = node.window;
  const Plane dz = gradient(pass, number, sample);
  const Size channels = nodes_[node.input].shape.channels, width = round_up(w.width * channels, kernels_.width);
  const Size rows_of_tap = round_up(group_outputs(node), kernels_.width), row = reach_across(node) * channels;
  float *sums = pass.own.plane, *products = sums + round_up(reach_down(node) * row + kernels_.panel, 16);
  std::fill_n(sums, reach_down(node) * row + kernels_.panel, 0.0f);
  const Tap all{0, 0, 0};
  for (Size y = 0; y < dz.height; ++y)
    for (Size i = 0; i < w.height; ++i) {
      const float* weight = pass.transposed + node.transposed + i * rows_of_tap * width;
      kernels_.convolve({dz.data + y * dz.row, dz.pixel, weight, width, products, width, dz.width,
                         (int)(width / kernels_.width), &all, 1, group_outputs(node)});
      float* to = sums + (y * w.down + i * w.down_dilation) * row;
      for (Size x = 0; x < dz.width; ++x)  // what lies beyond the row of the window is zero
        for (Size k = 0; k < width; ++k) to[x * w.across * channels + k] += products[x * width + k];
    }
  const Plane dx = gradient(pass, node.input, sample);
  const Size height = std::min(dx.height, reach_down(node) - w.top);
  const Size across = std::min(dx.width, reach_across(node) - w.left);
  for (Size y = 0; y < dx.height; ++y)
    for (Size x = 0; x < dx.width; ++x) {
      const bool is_covered = y < height && x < across;
      const float* from = sums + (y + w.top) * row + (x + w.left) * channels;
      float* to = dx.data + y * dx.row + x * dx.pixel;
      for (Size c = 0; c < channels; ++c) to[c] = (node.adds ? to[c] : 0.0f) + (is_covered ? from[c] : 0.0f);
    }
}

// The chunk's part of the gradient of the weights, added to that of the group.
void Images::weight_gradient(int number, Pass& pass, Size from, Size to) const {
  const Node& node = nodes_[number];
  const ImageShape &in = nodes_[node.input].shape, &out = node.gradient;
  const Window& w = node.window;
  const Size outputs = group_outputs(node), lanes = round_up(outputs, kernels_.width);
  const float* x = pass.workspace[node.input].value + in.origin() - w.top * in.row() - w.left * in.pixel;
  const float* dz = pass.workspace[number].gradient + out.origin();
  const auto add_up = [&](Size group, const float* gradient, Size row, Size pixel, Size first, Size last, bool accumulate) {
    const Array& array = layout_[node.weight + (int)group];
    for (int panel = 0; panel < layout_.num_panels(outputs); ++panel) {
      const Size column = (Size)panel * kernels_.panel;
      const int vectors = layout_.panel_vectors(outputs, panel);
      const Size width = (Size)vectors * kernels_.width;
      const Size channel = node.kind == Kind::channelwise ? column : group * group_inputs(node);
      const float* source = x + first * in.sample() + channel;
      const auto add_tap = [&](const Tap& tap, Size lane, int vectors_at_once) {
        // the rows of dz for which the tap lies in a row of the image
        const Size top = std::clamp<Size>((w.down - 1 - tap.row) / w.down, 0, out.height);
        const Size bottom = std::clamp<Size>((in.height - 1 - tap.row) / w.down + 1, top, out.height);
        ConvolutionGradient work{source + tap.a + top * w.down * in.row() + lane, in.sample(), w.down * in.row(),
                                 w.across * in.pixel, gradient + column + top * row + lane, out.sample(), row, pixel,
                                 last - first, bottom - top, out.width,
                                 pass.gradient + array.packed + column * array.rows + tap.b * width + lane, width,
                                 node.depth, vectors_at_once, accumulate};
        if (node.kind != Kind::channelwise) return kernels_.convolve_gradient(work);
        work.x_depth = in.pixel;
        kernels_.convolve_channels_gradient(work);
      };
      if (node.kind != Kind::channelwise)
        for (const Tap& tap : node.taps) add_tap(tap, 0, vectors);
      else  // all rows of the window read the same pixels of a vector
        for (Size lane = 0; lane < width; lane += kernels_.width)
          for (const Tap& tap : node.taps) add_tap(tap, lane, 1);
    }
  };
  if (node.groups == 1) add_up(0, dz + from * out.sample(), out.row(), out.pixel, from, to, !pass.is_first);
  for (Size group = 0; node.groups > 1 && group < node.groups; ++group)
    for (Size s = from; s < to; ++s) {  // the vectors of a group would reach into the next one: a copy has zeros there
      for (Size i = 0; i < out.height; ++i)
        kernels_.pack(dz + s * out.sample() + i * out.row() + group * outputs, out.pixel, out.width, outputs,
                      pass.own.plane + i * out.width * lanes, lanes);
      add_up(group, pass.own.plane, out.width * lanes, lanes, s, s + 1, !pass.is_first || s > from);
    }
  if (node.bias < 0) return;
  float* sums = pass.gradient + layout_[node.bias].packed;
  for (Size s = from; s < to; ++s) {
    const Plane p = gradient(pass, number, s);
    for (Size i = 0; i < p.height; ++i)
      kernels_.column_sums({p.data + i * p.row, p.pixel, p.width, p.vectors}, sums, !pass.is_first || s > from || i > 0);
  }
}

}  // namespace pellucid
