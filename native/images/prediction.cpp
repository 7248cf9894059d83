// The steps of a prediction, cut into pieces, and at work on them.
#include <algorithm>
#include <new>

#include "images/prediction.hpp"

namespace pellucid {

namespace {

constexpr Size many_pieces = 8;  // for each thread: then it matters little if the last one is late

// The bounds of an activation that does nothing else; whether it is one.
bool set_bounds(Activation activation, Convolution& work) {
  if (activation == Activation::identity) return true;
  if (activation != Activation::relu && activation != Activation::relu6) return false;
  work.low = 0;
  if (activation == Activation::relu6) work.high = 6;
  return true;
}

// Where the pixel (y, x) of a sample is.
Size place(const ImageShape& p, Size sample, Size y, Size x) {
  return sample * p.sample() + p.origin() + y * p.row() + x * p.pixel;
}

bool is_gapless(const ImageShape& p) { return p.left + p.right == 0; }

}  // namespace

Prediction::Workspace Prediction::workspace(Size samples) const {
  if (samples > PTRDIFF_MAX / 8 / (shared_size_ + 1)) throw std::bad_alloc();
  Workspace made{Buffer(samples * shared_size_), Images::Workspace(images_.nodes_.size())};
  for (const Step& step : steps_) {
    Images::Values& values = made.nodes[step.output];
    if (has_margins(step.output)) values.value = values.own = images_.room(shape(step.output), samples);
    else values.value = made.shared + samples * step.place;
  }
  return made;
}

Prediction::Scratch Prediction::scratch() const { return {images_.scratch(), Buffer(most_rows_), {}}; }

// Whether several threads may write the rows of an output.
bool Prediction::can_band(const Step& step) const {
  const ImageShape& p = shape(0);
  // the last vector of a gathered row may reach into the next one
  if (step.output == 0) return p.pixel != p.channels || p.width * p.channels % 16 == 0;
  return step.filter.exists() || step.depthwise.exists();
}

// Few pieces, but as many for each thread: two bands of a depthwise step both compute the rows that both of them read.
Prediction::Cut Prediction::cut(const Step& step, Size samples, int threads) const {
  const ImageShape& out = shape(step.output);
  const bool takes_all = step.filter.exists() && !step.depthwise.exists() && is_narrow(out.width, samples);
  Cut cut{step.panels, samples, 1, !takes_all};
  if (threads == 1 || takes_all || !can_band(step)) return cut;
  while (cut.bands < out.height && cut.pieces() < many_pieces * threads &&
         (cut.pieces() < 2 * threads || cut.pieces() % threads != 0))
    ++cut.bands;
  return cut;
}

Prediction::Piece Prediction::piece(const Step& step, const Cut& cut, Size number) const {
  const Size band = number % cut.bands, height = shape(step.output).height;
  number /= cut.bands;
  Piece piece{(int)number, 0, cut.samples, height * band / cut.bands, height * (band + 1) / cut.bands};
  if (!cut.is_by_sample) return piece;
  piece.panel = (int)(number / cut.samples);
  piece.from = number % cut.samples;
  piece.to = piece.from + 1;
  return piece;
}

void Prediction::run(const Work& work, Size count, Together* together, int member) const {
  for (std::size_t number = 0; number < steps_.size(); ++number) {
    const Step& step = steps_[number];
    const Cut cut = this->cut(step, count, together ? together->team.size() : 1);
    if (!together) {
      for (Size i = 0; i < cut.pieces(); ++i) take(step, piece(step, cut, i), work);
      continue;
    }
    std::atomic<Size>& next = together->next[number % 2];
    for (Size i = next++; i < cut.pieces(); i = next++) take(step, piece(step, cut, i), work);
    if (member == 0) together->next[(number + 1) % 2] = 0;  // all have left the step before this one
    together->team.barrier();
  }
  if (together && member == 0) together->next[0] = 0;
}

void Prediction::take(const Step& step, const Piece& piece, const Work& work) const {
  if (step.depthwise.exists()) return convolve_depthwise(step, piece, work);
  if (step.filter.exists()) return convolve(step, piece, work);
  for (Size s = piece.from; s < piece.to; ++s) {
    if (step.output == 0) images_.gather(work.pass, s, piece.top, piece.bottom);
    else if (node(step.output).kind == Kind::batch_normalization) normalize(step, s, work);
    else images_.forward_node(step.output, work.pass, s, s + 1);
  }
}

// A batch normalization that does not follow a convolution.
void Prediction::normalize(const Step& step, Size sample, const Work& work) const {
  const Size pixel = shape(step.output).pixel;
  const float* mean = work.folded.weights + step.scales;
  images_.normalize(step.output, work.pass, images_.value(work.pass, step.input, sample),
                    images_.value(work.pass, step.output, sample), mean, mean + pixel, mean + 2 * pixel);
}

// Runs a kernel with the activation in it or, where that is more than bounds, after it.
template <class Kernel>
void Prediction::activated(Activation activation, Convolution& work, Kernel kernel) const {
  const bool is_bounded = set_bounds(activation, work);
  kernel(work);
  if (!is_bounded) kernels_.activate(activation, {work.c, work.c_row, work.rows, work.vectors}, nullptr);
}

// A panel of the filter for some pixels.
void Prediction::filter(const Step& step, int panel, const Pixels& pixels, float* to, Size to_row, const Work& work) const {
  const Node& below = node(step.filter.node);
  const Window& w = below.window;
  const ImageShape& in = shape(step.input);
  const Share share = columns(step, panel);
  const Size width = share.to - share.from;
  const float* bias = weights(step, step.filter, panel, work.folded);
  const auto value = [&](int number) { return work.pass.workspace[number].value; };
  const auto taps = inside(below.taps, pixels.y * w.down, in.height);
  const float* from = value(step.input) + place(in, pixels.sample, pixels.y * w.down - w.top, pixels.x * w.across - w.left);
  Convolution c{from, pixels.is_along_samples ? in.sample() : w.across * in.pixel, bias + width, width, to, to_row,
                pixels.count, (int)(width / kernels_.width), taps.data(), (Size)taps.size(), below.depth, bias};
  if (step.added >= 0) {
    const ImageShape& other = shape(step.added);
    c.added = value(step.added) + place(other, pixels.sample, pixels.y, pixels.x) + share.from;
    c.added_row = pixels.is_along_samples ? other.sample() : other.pixel;
  }
  activated(step.filter.activation, c, kernels_.convolve);
}

void Prediction::convolve(const Step& step, const Piece& piece, const Work& work) const {
  const Window& w = node(step.filter.node).window;
  const ImageShape &in = shape(step.input), &out = shape(step.output);
  float* to = work.pass.workspace[step.output].value + columns(step, piece.panel).from;
  const auto run = [&](const Pixels& pixels) {
    filter(step, piece.panel, pixels, to + place(out, pixels.sample, pixels.y, pixels.x),
           pixels.is_along_samples ? out.sample() : out.pixel, work);
  };
  if (is_narrow(out.width, piece.to - piece.from)) {
    for (Size y = piece.top; y < piece.bottom; ++y)
      for (Size x = 0; x < out.width; ++x) run({piece.from, y, x, piece.to - piece.from, true});
    return;
  }
  const bool is_pointwise = w.taps() == 1 && w.down == 1 && w.across == 1 && in.width == out.width && in.height == out.height;
  const bool is_one_run = is_pointwise && is_gapless(in) && is_gapless(out) && (step.added < 0 || is_gapless(shape(step.added)));
  for (Size s = piece.from; s < piece.to; ++s) {
    const Size stop = piece.bottom * out.width;
    for (Size pixel = piece.top * out.width; is_one_run && pixel < stop; pixel += row_block)
      run({s, 0, pixel, std::min(row_block, stop - pixel)});
    for (Size y = piece.top; !is_one_run && y < piece.bottom; ++y) run({s, y, 0, out.width});
  }
}

// Rows of a depthwise convolution. It reads the input or, if a filter stands before it, the last rows of that, which lie in a
// ring: row i is in the place i modulo their number.
void Prediction::convolve_depthwise(const Step& step, const Piece& piece, const Work& work) const {
  const Node& below = node(step.depthwise.node);
  const Window& w = below.window;
  const ImageShape &in = shape(below.input), &out = shape(step.output);
  const Share share = columns(step, piece.panel);
  const Size width = share.to - share.from, reach = (w.height - 1) * w.down_dilation + 1;
  const Size depth = below.depth;  // of a tap: the columns of a window, or one of them
  const float* bias = weights(step, step.depthwise, piece.panel, work.folded);
  std::vector<Tap>& taps = work.own.taps;
  const bool has_filter = step.filter.exists();
  const Size pixel = has_filter ? width : in.pixel, row = (in.left + in.width + in.right) * pixel;
  float* ring = work.own.rows;
  if (has_filter)  // margins
    for (Size i = 0; i < reach; ++i) {
      std::fill_n(ring + i * row, in.left * pixel, 0.0f);
      std::fill_n(ring + i * row + (in.left + in.width) * pixel, in.right * pixel, 0.0f);
    }
  for (Size s = piece.from; s < piece.to; ++s) {
    const float* source = has_filter ? ring : work.pass.workspace[step.input].value + s * in.sample() + in.top * row + share.from;
    Size next = 0;  // row of the filter
    for (Size y = piece.top; y < piece.bottom; ++y) {
      const Size first = y * w.down - w.top;
      for (next = std::max(next, first); has_filter && next < std::min(first + reach, in.height); ++next)
        filter(step, piece.panel, {s, next, 0, in.width}, ring + next % reach * row + in.left * pixel, pixel, work);
      taps.clear();
      for (Size i = 0; i < w.height; ++i) {
        const Size at = first + i * w.down_dilation;
        if (at < 0 || at >= in.height) continue;
        for (Size j = 0; j < w.width; j += depth)
          taps.push_back({(has_filter ? at % reach : at) * row + (in.left - w.left + j * w.across_dilation) * pixel,
                          i * w.width + j, 0});
      }
      Convolution c{source, w.across * pixel, bias + width, width,
                    work.pass.workspace[step.output].value + place(out, s, y, 0) + share.from, out.pixel, out.width,
                    (int)(width / kernels_.width), taps.data(), (Size)taps.size(), depth, bias};
      c.a_depth = pixel;
      activated(step.depthwise.activation, c, kernels_.convolve_channels);
    }
  }
}

}  // namespace pellucid
