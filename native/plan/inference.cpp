// Prediction: how blocks of samples go through all layers.
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "runtime/buffer.hpp"
#include "runtime/pool.hpp"
#include "runtime/sizes.hpp"
#include "plan/inference.hpp"

namespace pellucid {

namespace {

constexpr Size most_rows = 192;        // of a block
constexpr Size most_binned_rows = 768;  // where there are many: the sums of weights are fetched less often
constexpr Size fewest_rows_to_pack = 12;
constexpr Size fewest_rows_to_sum = 48;    // the weights of bins

// Memory of the current thread, kept from call to call.
float* scratch(Size count) {
  thread_local Buffer buffer;
  thread_local Size size = 0;
  if (size < count) {
    buffer = Buffer(count);
    size = count;
  }
  return buffer;
}

}  // namespace

Inference::Inference(const Kernels& kernels, Size inputs)
    : kernels_(kernels), inputs_(inputs), units_(inputs), tail_(inputs), widest_(inputs), deepest_(inputs),
      layout_(kernels) {}

void Inference::describe_front(const std::function<void(Front&)>& add) {
  if (!front_) front_ = std::make_unique<Front>(kernels_, layout_, inputs_, Front::Vectors::flat);
  add(*front_);
  units_ = tail_ = deepest_ = front_->outputs();
  widest_ = front_->widest();
  parameters_ = layout_.flat_size();
}

Images& Inference::begin_images(Size height, Size width, Size channels, bool is_compact) {
  images_ = std::make_unique<Images>(kernels_, layout_, height, width, channels, is_compact);
  return *images_;
}

void Inference::end_images() {
  images_->arrange();
  prediction_ = std::make_unique<Prediction>(*images_, kernels_, layout_);
  units_ = tail_ = widest_ = deepest_ = images_->outputs();
  parameters_ = layout_.flat_size();
  state_ = layout_.flat_state_size();
  work_ = images_->work();
}

void Inference::add_affine(Size units, Activation activation, bool bias) {
  const Size weights = units_ * units;
  if (layers_.empty() && front_) bins_ = front_->take_last_bins();
  const bool reads_bins = layers_.empty() && bins_;
  if (reads_bins) {
    units_ = tail_ = deepest_ = bins_->columns();
    widest_ = front_->widest();
  }
  layers_.push_back({Kind::affine, units_, units, activation, parameters_, bias ? parameters_ + weights : -1, 0, 0,
                     reads_bins});
  parameters_ += weights + (bias ? units : 0);
  work_ += (double)(reads_bins ? 3 * units_ * units : weights * ensemble_);
  deepest_ = std::max(deepest_, reads_bins ? std::max(units_, bins_->bins()) : units_);
  widest_ = std::max(widest_, units);
  units_ = units;
}

void Inference::add_normalization(double epsilon) {
  const Size gamma = parameters_, beta = parameters_ + units_;
  layers_.push_back({Kind::normalization, units_, units_, Activation::identity, gamma, beta, state_, (float)epsilon});
  parameters_ += 2 * units_;
  state_ += 2 * units_;
}

void Inference::add_scales(Size ensemble, Activation activation, bool shift) {
  if (images_ || has_heads()) throw std::invalid_argument("an ensemble cannot be added here");
  ensemble_ = check_ensemble(ensemble_, ensemble);
  const Size table = ensemble * units_;
  layers_.push_back({Kind::scales, units_, units_, activation, parameters_, shift ? parameters_ + table : -1, 0, 0});
  parameters_ += table * (shift ? 2 : 1);
  deepest_ = std::max(deepest_, 2 * ensemble);  // rows of the memory for a panel
}

void Inference::add_heads(Size units, bool bias) {
  if (ensemble_ == 1 || has_heads() || units < 1) throw std::invalid_argument("no such heads");
  const Size weights = ensemble_ * units_ * units;
  layers_.push_back({Kind::heads, units_, units, Activation::identity, parameters_, bias ? parameters_ + weights : -1, 0, 0});
  parameters_ += weights + (bias ? ensemble_ * units : 0);
  work_ += (double)weights;
  deepest_ = std::max(deepest_, units_);
  widest_ = std::max(widest_, units);
  units_ = units;
}

void Inference::add_scaling(double rate) {
  layers_.push_back({Kind::scaling, units_, units_, Activation::identity, parameters_, -1, 0, (float)rate});
  parameters_ += units_;
}

bool Inference::run(Source source, const void* x, Size rows, const float* parameters, const float* state, Answer answer,
                    float* to, int threads) const {
  Call call{source, parameters, state, nullptr, nullptr, answer};
  std::shared_ptr<const Prediction::Folded> folded;
  if (images_) {
    const std::lock_guard lock(mutex_);
    folded = folded_;
    call.folded = folded.get();
  }
  Buffer sums;
  if (bins_ && rows >= fewest_rows_to_sum) call.bin_sums = sums = sum_bin_weights(parameters);
  if ((double)rows * work_ < work_for_threads) threads = 1;
  const Size apart = images_ && work_ >= work_for_threads ? rows - rows % threads : rows;
  const Size columns = answer == Answer::yes_or_no ? 2 : units_;
  const char* rest = (const char*)x + apart * inputs_ * (source == Source::bytes ? 1 : (Size)sizeof(float));
  const bool is_finite = run_blocks(call, (const char*)x, apart, to, threads);
  return (apart == rows || run_together(call, rest, rows - apart, to + apart * columns, threads)) && is_finite;
}

// Each thread by itself takes whole samples through all layers.
bool Inference::run_blocks(const Call& call, const char* x, Size rows, float* to, int threads) const {
  const Size columns = call.answer == Answer::yes_or_no ? 2 : units_;
  const Size bytes = call.source == Source::bytes ? 1 : (Size)sizeof(float);
  const bool is_long = bins_ && rows >= 2 * threads * most_binned_rows;
  const Size most = is_long ? most_binned_rows : most_rows;
  const Size images = (Size)std::clamp<double>(work_of_block / std::max(work_, 1.0), 1, most_images);
  const Size rows_of_block = images_ ? images : std::max<Size>(1, most / ensemble_);
  Size blocks = (rows + rows_of_block - 1) / rows_of_block;
  if (images_) blocks = std::min(rows, round_up(blocks, threads));  // as many for each thread
  threads = (int)std::min<Size>(threads, blocks);
  std::atomic<Size> next{0};
  std::atomic<bool> finite{true};
  const auto work = [&](int) {
    for (Size block = next++; block < blocks; block = next++) {
      const Size start = rows * block / blocks, stop = rows * (block + 1) / blocks;
      if (!run_block(call, x + start * inputs_ * bytes, stop - start, to + start * columns, {})) finite = false;
    }
  };
  if (threads <= 1) work(0);
  else borrow_team(threads)->run(work);
  return finite;
}

// Numbers of the inputs and outputs of a layer.
Size Inference::value_room(Size rows) const { return rows * ensemble_ * padded(widest_); }

bool Inference::run_block(const Call& call, const void* x, Size rows, float* to, const Crew& crew) const {
  const Size stride = padded(widest_), room = crew.values ? 0 : value_room(rows);
  const Size panels = (deepest_ + 4) * kernels_.panel + kernels_.wide_panel;
  float* own = scratch(2 * room + panels + (bins_ ? 3 * rows * bins_->columns() : 0));
  float* values[2] = {crew.values ? crew.values : own, nullptr};
  values[1] = values[0] + value_room(rows);
  float* panel = own + 2 * room;
  const float* from = (const float*)x;
  Size from_stride = inputs_;
  const Share inputs = crew.share(rows * inputs_);
  const bool has_finite_inputs =
      call.source == Source::bytes || kernels_.all_finite(from + inputs.from, inputs.to - inputs.from);
  if (!has_finite_inputs && !crew.together) return false;
  if (images_) {
    run_images(call, x, rows, values[0], stride, crew);
    from = values[0];
    from_stride = stride;
  } else if (call.source == Source::bytes || front_ || layers_[0].kind == Kind::scales) {  // which read whole vectors
    std::int64_t index[most_binned_rows];
    for (Size r = 0; r < rows; ++r) index[r] = r;
    kernels_.gather(call.source, x, inputs_, index, rows, values[0], stride);
    from = front_ ? front_->run(call.parameters, rows, values[0], values[1], stride) : values[0];
    from_stride = stride;
  }
  InBin* in = (InBin*)(panel + panels);
  if (bins_) kernels_.find_bins(bins_->encoding(), rows, from, from_stride, in);
  int target = from == values[1] ? 0 : 1;  // the buffer that the next layer writes
  bool many_zeros = std::count(from, from + tail_, 0.0f) > tail_ / 2;  // in the first sample: the others will be like it
  Size now = rows;  // rows of the next layer's input
  for (const Layer& layer : layers_) {
    bool keeps_zeros = false;
    const bool is_mine = crew.member == 0;  // the small layers: the first thread computes them
    if (layer.kind == Kind::affine) {
      affine(layer, from, from_stride, now, call.parameters, values[target], stride, panel, many_zeros, in, call.bin_sums,
             crew);
    } else if (layer.kind == Kind::scales) {
      const bool repeats = now == rows;
      scale(layer, from, from_stride, rows, repeats, call.parameters, values[target], stride, panel);
      now = rows * ensemble_;
      keeps_zeros = many_zeros && repeats && layer.bias < 0;
    } else if (layer.kind == Kind::heads) {
      mean_of_heads(layer, from, from_stride, rows, call.parameters, values[target], stride, panel);
      now = rows;
    } else {
      if (from == (const float*)x)
        for (Size r = 0; r < now; ++r) std::copy_n(from + r * from_stride, layer.units, values[target] + r * stride);
      else target = 1 - target;  // in place
      if (layer.kind == Kind::scaling && is_mine)
        scale_features(layer, now, call.parameters, values[target], stride, panel);
      if (layer.kind == Kind::normalization && is_mine)
        normalize(layer, now, call.parameters, call.state, values[target], stride, panel);
      keeps_zeros = many_zeros && layer.kind == Kind::scaling;
    }
    crew.meet();
    many_zeros = keeps_zeros;
    from = values[target];
    from_stride = stride;
    target = 1 - target;
  }
  if (crew.member > 0) return has_finite_inputs;
  bool finite = has_finite_inputs;
  for (Size r = 0; r < rows; ++r) finite &= kernels_.all_finite(from + r * stride, units_);
  const Block logits{values[1 - target], stride, rows, (int)((units_ + kernels_.width - 1) / kernels_.width)};
  if (call.answer == Answer::softmax) kernels_.softmax(logits, units_, to);
  else if (call.answer == Answer::yes_or_no) kernels_.yes_or_no(logits, to);
  else
    for (Size r = 0; r < rows; ++r) std::copy_n(from + r * stride, units_, to + r * units_);
  return finite;
}

// For a few samples the weights (inputs, units) are read where they are, row by row. For more, each panel is first copied
// to be contiguous. A last panel that does not fill its vectors is always copied.
void Inference::affine(const Layer& layer, const float* x, Size x_stride, Size rows, const float* parameters, float* to,
                       Size stride, float* panel, bool skips_zeros, const InBin* in, const float* bin_sums,
                       const Crew& crew) const {
  const float* weight = parameters + layer.weight;
  float* bias = panel + deepest_ * kernels_.panel;  // up to a wide panel of it
  const Size unit = kernels_.wide_panel;
  const Share share = crew.share((layer.units + unit - 1) / unit);
  const Size stop = std::min(layer.units, share.to * unit);
  for (Size column = share.from * unit, wide; column < stop; column += wide) {
    const Size left = stop - column;
    wide = rows == 1 && left >= kernels_.wide_panel ? kernels_.wide_panel : std::min<Size>(kernels_.panel, left);
    const int vectors = (int)((wide + kernels_.width - 1) / kernels_.width);
    const Size width = (Size)vectors * kernels_.width;
    const bool packs = rows >= fewest_rows_to_pack || wide < width;
    if (packs) kernels_.pack(weight + column, layer.units, layer.inputs, wide, panel, width);
    if (layer.bias >= 0) kernels_.pack(parameters + layer.bias + column, wide, 1, wide, bias, width);
    for (Size row = 0; row < rows; row += row_block) {
      const Block block{to + row * stride + column, stride, std::min(row_block, rows - row), vectors};
      for (Size k = 0; k < layer.inputs; k += depth_block) {
        const float* b = packs ? panel + k * width : weight + column + k * layer.units;
        Product p{x + row * x_stride + k, x_stride, 1, b, packs ? width : layer.units, block.data, stride, block.rows,
                  std::min(depth_block, layer.inputs - k), vectors};
        p.accumulate = k > 0;
        p.skips_zeros = skips_zeros;
        if (k == 0 && layer.bias >= 0) p.bias = bias;
        kernels_.product(p);
      }
      // few rows are one block: what was packed into the panel has been used
      if (layer.reads_bins) add_bins(layer, in + row * layer.inputs, bin_sums, column, parameters, block, panel);
      kernels_.activate(layer.activation, block, nullptr);
    }
  }
}

// f(x scale + shift), each network of an ensemble with its own numbers. The first time the rows are those of the samples, of
// which every network gets a copy.
void Inference::scale(const Layer& layer, const float* x, Size x_stride, Size samples, bool repeats, const float* parameters,
                      float* to, Size stride, float* scratch) const {
  for (Size column = 0; column < layer.units; column += kernels_.panel) {
    const Size wide = std::min<Size>(kernels_.panel, layer.units - column);
    const int vectors = (int)((wide + kernels_.width - 1) / kernels_.width);
    const Size width = (Size)vectors * kernels_.width;
    float *scales = scratch, *shifts = layer.bias >= 0 ? scratch + ensemble_ * kernels_.panel : nullptr;
    kernels_.pack(parameters + layer.weight + column, layer.units, ensemble_, wide, scales, width);
    if (shifts) kernels_.pack(parameters + layer.bias + column, layer.units, ensemble_, wide, shifts, width);
    for (Size sample = 0; sample < samples; ++sample) {
      const Block block{to + sample * ensemble_ * stride + column, stride, ensemble_, vectors};
      const float* from = x + (repeats ? sample : sample * ensemble_) * x_stride + column;
      kernels_.ensemble_scale({ensemble_, 0, scales, shifts}, from, repeats ? 0 : x_stride, block);
      kernels_.activate(layer.activation, block, nullptr);
    }
  }
}

// The mean over the networks of x W + b, each with its own W and b: one sum over all of them, divided by their number.
void Inference::mean_of_heads(const Layer& layer, const float* x, Size x_stride, Size samples, const float* parameters,
                              float* to, Size stride, float* panel) const {
  float* bias = panel + deepest_ * kernels_.panel;
  const float share = 1 / (float)ensemble_;
  for (Size column = 0; column < layer.units; column += kernels_.panel) {
    const Size wide = std::min<Size>(kernels_.panel, layer.units - column);
    const int vectors = (int)((wide + kernels_.width - 1) / kernels_.width);
    const Size width = (Size)vectors * kernels_.width;
    for (Size head = 0; head < ensemble_; ++head) {
      kernels_.pack(parameters + layer.weight + head * layer.inputs * layer.units + column, layer.units, layer.inputs, wide,
                    panel, width);
      for (Size k = 0; k < layer.inputs; k += depth_block) {
        Product p{x + head * x_stride + k, ensemble_ * x_stride, 1, panel + k * width, width, to + column, stride, samples,
                  std::min(depth_block, layer.inputs - k), vectors};
        p.accumulate = head > 0 || k > 0;
        kernels_.product(p);
      }
    }
    std::fill_n(bias, width, 0.0f);
    for (Size head = 0; layer.bias >= 0 && head < ensemble_; ++head)
      for (Size i = 0; i < wide; ++i) bias[i] += parameters[layer.bias + head * layer.units + column + i];
    for (Size r = 0; r < samples; ++r)
      for (Size i = 0; i < width; ++i) to[r * stride + column + i] = (to[r * stride + column + i] + bias[i]) * share;
  }
}

// The sums of the weights of all bins of the first layer, panel by panel.
Buffer Inference::sum_bin_weights(const float* parameters) const {
  const Layer& layer = layers_[0];
  const Size bins = bins_->bins(), sums = bins_->width();  // one more for each column
  const float* weight = parameters + layer.weight + layer.inputs * layer.units;
  Buffer to(sums * round_up(layer.units, kernels_.width)), panel(bins * kernels_.panel);
  for (Size column = 0; column < layer.units; column += kernels_.panel) {
    const Size wide = std::min<Size>(kernels_.panel, layer.units - column), width = round_up(wide, kernels_.width);
    kernels_.pack(weight + column, layer.units, bins, wide, panel, width);
    kernels_.sum_weights(bins_->encoding(), panel, (int)(width / kernels_.width), to + sums * column);
  }
  return to;
}

// Adds what the bins give to columns of the first layer; `sums` is null for a few rows.
void Inference::add_bins(const Layer& layer, const InBin* in, const float* sums, Size column, const float* parameters,
                         const Block& to, float* panel) const {
  BinWeights weights{nullptr, parameters + layer.weight + layer.inputs * layer.units + column, layer.units};
  const Size width = to.vectors * kernels_.width, wide = std::min(width, layer.units - column);
  if (sums) weights.sums = sums + bins_->width() * column;
  else if (wide < width) {  // whole vectors are read
    kernels_.pack(weights.weight, layer.units, bins_->bins(), wide, panel, width);
    weights = {nullptr, panel, width};
  }
  kernels_.add_bins(bins_->encoding(), weights, in, to);
}

void Inference::normalize(const Layer& layer, Size rows, const float* parameters, const float* state, float* x, Size stride,
                          float* scratch) const {
  const float* sources[] = {parameters + layer.weight, parameters + layer.bias, state + layer.state,
                            state + layer.state + layer.units};
  for (Size column = 0; column < layer.units; column += kernels_.panel) {
    const Size wide = std::min<Size>(kernels_.panel, layer.units - column);
    const int vectors = (int)((wide + kernels_.width - 1) / kernels_.width);
    float* own[4];
    for (int i = 0; i < 4; ++i) {
      own[i] = scratch + i * kernels_.panel;
      kernels_.pack(sources[i] + column, wide, 1, wide, own[i], kernels_.panel);
    }
    Normalization n{own[0], own[1], own[2], own[3], nullptr, nullptr, nullptr, nullptr, 0, 0, layer.constant};
    kernels_.normalize_inference(n, {x + column, stride, rows, vectors});
  }
}

void Inference::scale_features(const Layer& layer, Size rows, const float* parameters, float* x, Size stride,
                               float* scratch) const {
  for (Size column = 0; column < layer.units; column += kernels_.panel) {
    const Size wide = std::min<Size>(kernels_.panel, layer.units - column);
    const int vectors = (int)((wide + kernels_.width - 1) / kernels_.width);
    kernels_.pack(parameters + layer.weight + column, wide, 1, wide, scratch, kernels_.panel);
    kernels_.scale_columns({scratch, nullptr, layer.constant, false}, x + column, {x + column, stride, rows, vectors});
  }
}

}  // namespace pellucid
