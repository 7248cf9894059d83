// The nodes of the image part at work on a chunk of samples, forward and back; convolutions have a file of their own.
#include <algorithm>

#include "runtime/random.hpp"
#include "images/images.hpp"

namespace pellucid {

namespace {

constexpr Size rows_at_once = 16, numbers_at_once = 4096;

void copy_plane(const Plane& from, const Plane& to, Size width) {
  for (Size i = 0; i < from.height; ++i)
    for (Size j = 0; j < from.width; ++j)
      std::copy_n(from.data + i * from.row + j * from.pixel, width, to.data + i * to.row + j * to.pixel);
}

}  // namespace

Plane Images::plane(const ImageShape& p, const float* base, Size sample) const {
  float* first = const_cast<float*>(base) + sample * p.sample() + p.origin();
  return {first, p.row(), p.pixel, p.height, p.width, (int)(p.pixel / kernels_.width)};
}

Plane Images::value(const Pass& pass, int node, Size sample) const {
  return plane(nodes_[node].shape, pass.workspace[node].value, sample);
}

Plane Images::gradient(const Pass& pass, int node, Size sample) const {
  return plane(nodes_[node].gradient, pass.workspace[node].gradient, sample);
}

float* Images::statistic(const Workspace& workspace, int node, Statistic which) const {
  return workspace[node].statistics + which * nodes_[node].shape.pixel;
}

// Rows [top, bottom) of a sample in the input node: as float32, rescaled if a rescale has joined it.
void Images::gather(Pass& pass, Size sample, Size top, Size bottom) const {
  const Node& node = nodes_[0];
  const ImageShape& p = node.shape;
  const bool is_compact = p.pixel == p.channels;
  const Size width = p.width * p.channels, stride = is_compact ? p.row() : round_up(width, 16) + 16;
  std::int64_t* index = pass.own.rows.data();
  float* image = pass.workspace[0].value + sample * p.sample() + p.origin();
  for (Size y = top, rows; y < bottom; y += rows) {  // a few at a time, which stay in the nearest cache
    rows = std::min(rows_at_once, bottom - y);
    for (Size r = 0; r < rows; ++r) index[r] = pass.index[sample] * p.height + y + r;
    float* first = image + y * p.row();
    float* gathered = is_compact ? first : (float*)pass.own.gathered;
    kernels_.gather(pass.source, pass.x, width, index, rows, gathered, stride);
    for (Size r = 0; r < rows && !is_compact; ++r)
      kernels_.pack(gathered + r * stride, p.channels, p.width, p.channels, first + r * p.row(), p.pixel);
    for (Size r = 0; r < rows && !node.factor_of.empty(); ++r)
      kernels_.scale_row(first + r * p.row(), p.width * p.pixel, node.factor_of.data(), node.shift_of.data());
  }
}

void Images::activate(int number, Pass& pass, Size sample) const {
  activate(number, pass, value(pass, number, sample));
}

void Images::activate(int number, Pass& pass, const Plane& p) const {
  const Node& node = nodes_[number];
  float* z = pass.workspace[number].z;
  for (Size i = 0; i < p.height; ++i) {
    float* row = p.data + i * p.row;
    float* sums = z ? z + (row - pass.workspace[number].value) : nullptr;
    kernels_.activate(node.activation, {row, p.pixel, p.width, p.vectors}, sums);
  }
}

// From the gradient of the activation to that of the sum, in place.
void Images::activate_back(int number, Pass& pass, Size sample) const {
  const Node& node = nodes_[number];
  if (node.activation == Activation::identity) return;
  const Plane dy = gradient(pass, number, sample), a = value(pass, number, sample);
  float* z = pass.workspace[number].z;
  for (Size i = 0; i < dy.height; ++i) {
    const float* row = a.data + i * a.row;
    kernels_.activate_backward(node.activation, {dy.data + i * dy.row, dy.pixel, dy.width, dy.vectors}, row,
                               z ? z + (row - pass.workspace[number].value) : nullptr);
  }
}

// y = f((x - mean) scale + shift), in blocks of rows that are activated while they lie in the nearest cache.
void Images::normalize(int number, Pass& pass, const Plane& x, const Plane& y, const float* mean, const float* scale,
                       const float* shift) const {
  const Size rows = std::max<Size>(1, numbers_at_once / (y.width * y.pixel));
  for (Size i = 0; i < y.height; i += rows) {
    const auto block = [&](const Plane& p) {
      return Plane{p.data + i * p.row, p.row, p.pixel, std::min(rows, p.height - i), p.width, p.vectors};
    };
    kernels_.scale_plane(block(x), block(y), mean, scale, shift);
    activate(number, pass, block(y));
  }
}

void Images::apply_dropout(const Node& node, const DropoutSeed& seed, const Plane& from, const Plane& to,
                           Size sample) const {
  const std::uint64_t key = random_key(seed.seed, Purpose::dropout, seed.step, node.layer);
  const Mask mask{(std::uint32_t)key, (std::uint32_t)(key >> 32), node.threshold, node.factor};
  const Size channels = node.shape.channels;
  for (Size i = 0; i < to.height; ++i) {
    const Size first = node.whole_channels ? sample * channels : sample * node.shape.values() + i * to.width * channels;
    kernels_.dropout(mask, from.data + i * from.row, {to.data + i * to.row, to.pixel, to.width, to.vectors},
                     (std::uint32_t)first, node.whole_channels ? 0 : (std::uint32_t)channels);
  }
}

// The nodes that work sample by sample: all but convolutions.
void Images::sample_forward(int number, Pass& pass, Size sample) const {
  const Node& node = nodes_[number];
  const Plane x = value(pass, node.input, sample), y = value(pass, number, sample);
  switch (node.kind) {
    case Kind::pooling: return kernels_.pool(node.pooling, x, y);
    case Kind::batch_normalization:
      return normalize(number, pass, x, y, statistic(pass.workspace, number, mean),
                       statistic(pass.workspace, number, scale), pass.parameters + layout_[node.beta].packed);
    case Kind::layer_normalization:
      return kernels_.normalize_pixels({pass.parameters + layout_[node.gamma].packed,
                                        pass.parameters + layout_[node.beta].packed, node.epsilon, node.shape.channels},
                                       x, y);
    case Kind::dropout:
      if (pass.dropout_seed) apply_dropout(node, *pass.dropout_seed, x, y, sample);
      else copy_plane(x, y, y.pixel);
      return;
    case Kind::rescale: return kernels_.scale_plane(x, y, nullptr, node.factor_of.data(), node.shift_of.data());
    case Kind::sum:
      copy_plane(x, y, y.pixel);
      kernels_.add_plane(value(pass, node.other, sample), y);
      return activate(number, pass, sample);
    case Kind::flatten: {
      const Size channels = nodes_[node.input].shape.channels;
      return copy_plane(x, {y.data, x.width * channels, channels, x.height, x.width, 0}, channels);
    }
    default: return;
  }
}

void Images::forward_node(int number, Pass& pass, Size from, Size to) const {
  if (nodes_[number].is_convolution()) return convolve(number, pass, from, to);
  for (Size s = from; s < to; ++s) sample_forward(number, pass, s);
}

void Images::forward(Pass& pass, int stage, Size from, Size to) const {
  for (Size s = from; s < to && stage == 0; ++s) gather(pass, s, 0, nodes_[0].shape.height);
  for (int number = stages_[stage]; number < stages_[stage + 1]; ++number) forward_node(number, pass, from, to);
}

// Has `write` write the gradient of the node `to`: into its place or, if another node has written there before, into a
// plane that is then added.
template <class Write>
void Images::write_gradient(Pass& pass, int to, bool adds, Size sample, Write write) const {
  if (!nodes_[to].needs_gradient) return;
  const Plane place = gradient(pass, to, sample);
  if (!adds) return write(place);
  const Plane own{pass.own.plane, place.width * place.pixel, place.pixel, place.height, place.width, place.vectors};
  write(own);
  kernels_.add_plane(own, place);
}

void Images::sample_back(int number, Pass& pass, Size sample) const {
  const Node& node = nodes_[number];
  const Plane dy = gradient(pass, number, sample), x = value(pass, node.input, sample);
  const auto to_input = [&](auto write) { write_gradient(pass, node.input, node.adds, sample, write); };
  switch (node.kind) {
    case Kind::pooling:
      return to_input([&](const Plane& dx) {
        kernels_.pool_backward(node.pooling, x, value(pass, number, sample), dy, dx);
      });
    case Kind::batch_normalization: {
      const auto of_batch = [&](Statistic which) { return statistic(pass.workspace, number, which); };
      return to_input([&](const Plane& dx) {
        kernels_.normalization_backward(dy, x, dx, of_batch(mean), of_batch(scale), of_batch(back_shift),
                                        of_batch(back_slope));
      });
    }
    case Kind::layer_normalization: {
      const Size gamma = layout_[node.gamma].packed, beta = layout_[node.beta].packed;
      LayerNormalization n{pass.parameters + gamma, pass.parameters + beta, node.epsilon, node.shape.channels,
                           pass.gradient + gamma, pass.gradient + beta};
      kernels_.normalize_pixels_backward(n, dy, x, nullptr);
      n.dgamma = n.dbeta = nullptr;
      return to_input([&](const Plane& dx) { kernels_.normalize_pixels_backward(n, dy, x, &dx); });
    }
    case Kind::dropout: return to_input([&](const Plane& dx) { apply_dropout(node, *pass.dropout_seed, dy, dx, sample); });
    case Kind::rescale:
      return to_input([&](const Plane& dx) { kernels_.scale_plane(dy, dx, nullptr, node.factor_of.data(), nullptr); });
    case Kind::sum:
      activate_back(number, pass, sample);
      to_input([&](const Plane& dx) { copy_plane(dy, dx, dy.pixel); });
      return write_gradient(pass, node.other, node.adds_other, sample,
                            [&](const Plane& dx) { copy_plane(dy, dx, dy.pixel); });
    case Kind::flatten:
      return to_input([&](const Plane& dx) {
        const Size channels = nodes_[node.input].shape.channels;
        for (Size i = 0; i < dx.height; ++i)
          kernels_.pack(dy.data + i * dx.width * channels, channels, dx.width, channels, dx.data + i * dx.row, dx.pixel);
      });
    default: return;
  }
}

void Images::back(int number, Pass& pass, Size from, Size to) const {
  const Node& node = nodes_[number];
  if (!node.needs_gradient) return;
  if (node.kind == Kind::layer_normalization && pass.is_first)
    for (int array : {node.gamma, node.beta})
      std::fill_n(pass.gradient + layout_[array].packed, round_up(layout_[array].columns, 16), 0.0f);
  if (!node.is_convolution()) {
    for (Size s = from; s < to; ++s) sample_back(number, pass, s);
    return;
  }
  for (Size s = from; s < to; ++s) activate_back(number, pass, s);
  weight_gradient(number, pass, from, to);
  if (!nodes_[node.input].needs_gradient) return;
  if (!node.scatters) return convolve_back(number, pass, from, to);
  for (Size s = from; s < to; ++s) scatter_back(number, pass, s);
}

// The way back through a stage: from the batch normalization above it down to its own, which is left to
// `sample_statistics_back`.
void Images::backward(Pass& pass, int stage, Size from, Size to) const {
  if (stage + 1 < num_stages()) back(stages_[stage + 1], pass, from, to);
  const int lowest = stages_[stage] + (stage > 0 ? 1 : 0);
  for (int number = stages_[stage + 1] - 1; number >= lowest; --number) back(number, pass, from, to);
}

void Images::write_rows(Pass& pass, float* rows, Size stride, Size from, Size to) const {
  const ImageShape& p = nodes_.back().shape;
  for (Size s = from; s < to; ++s)
    copy_plane(value(pass, num_nodes() - 1, s), {rows + s * stride, p.width * p.channels, p.channels, p.height, p.width, 0},
               p.channels);
}

void Images::read_gradient_rows(Pass& pass, const float* rows, Size stride, Size from, Size to) const {
  const ImageShape& p = nodes_.back().shape;
  for (Size s = from; s < to; ++s)
    copy_plane({const_cast<float*>(rows) + s * stride, p.width * p.channels, p.channels, p.height, p.width, 0},
               gradient(pass, num_nodes() - 1, s), p.channels);
}

}  // namespace pellucid
