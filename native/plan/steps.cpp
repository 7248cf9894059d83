// Training steps: how the work of a plan is dealt out to the threads, and in which order it is done.
#include <algorithm>

#include "runtime/sizes.hpp"
#include "plan/plan.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace pellucid {

namespace {

// Denormals, numbers below 1.2e-38, count as zero while steps run: the first moment of a weight without gradient decays to
// them, and arithmetic on them can be a hundred times slower. The caller's mode is restored afterwards.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (1u << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  std::uint64_t before_;
#endif
};

// Calls f(panel, from, to) for the member's part of `panels` times `rows`, cut at multiples of `granule` rows.
template <class F>
void deal(int member, int threads, int panels, Size rows, Size granule, F f) {
  const Size pieces = (rows + granule - 1) / granule;
  Share part = share_of(member, threads, panels * pieces);
  while (part.from < part.to) {
    const Size panel = part.from / pieces, first = part.from % pieces;
    const Size last = std::min(pieces, first + part.to - part.from);
    f((int)panel, first * granule, std::min(rows, last * granule));
    part.from += last - first;
  }
}

// Calls f(panel, from, to) for the member's part of the same pieces in another order: all panels of some rows, then of the next
// ones. Where there are more rows than a cache holds, they are read from memory once, and not once for each panel.
template <class F>
void deal_rows(int member, int threads, int panels, Size rows, Size granule, F f) {
  const Share part = share_of(member, threads, panels * ((rows + granule - 1) / granule));
  for (Size piece = part.from; piece < part.to; ++piece) {
    const Size from = piece / panels * granule;
    f((int)(piece % panels), from, std::min(rows, from + granule));
  }
}

}  // namespace

Report Plan::run(const Data& data, const Steps& steps, int threads, double* losses, double* scores) {
  Report report{0, Outcome::done};
  threads_ = std::clamp(threads, 1, (int)members_.size());
  if (steps.rates.size() > 1 && !by_rows_ && !images_ && !workspace_.x[1]) {  // several steps: a buffer for the next batch
    if (front_) workspace_.front.x[1] = Buffer(batch_ * front_->stride());
    workspace_.x[1] = Buffer(batch_ * segments_[0].stride);
    if (bf16_) workspace_.rounded_x[1] = Rounded(batch_, segments_[0].stride);
  }
  Steps todo = steps;
  if (ensemble_ > 1) {
    repeated_.resize(steps.rows.size() * (std::size_t)ensemble_);
    for (std::size_t i = 0; i < steps.rows.size(); ++i)
      std::fill_n(repeated_.begin() + (Size)i * ensemble_, ensemble_, steps.rows[i]);
    todo.rows = repeated_;
  }
  const auto team = borrow_team(threads_);
  team_ = team.get();
  threads_ = team->size();
  bad_gradient_.store(false);
  bad_update_.store(false);
  team->run([&](int member) { work(member, data, todo, losses, scores, report); });
  return report;
}

void Plan::work(int member, const Data& data, const Steps& steps, double* losses, double* scores, Report& report) {
  const FlushDenormals guard;
  const Size count = (Size)steps.rates.size();
  Batch batch = batch_of(data, steps, 0);
  if (!by_rows_ && !images_) {
    gather(member, batch);
    team_->barrier();
  }
  for (Size number = 0; number < count; ++number) {
    std::fill_n((float*)members_[member].finite, 2 * kernels_.width, 0.0f);
    Batch next = number + 1 < count ? batch_of(data, steps, number + 1) : Batch{};
    const Outcome outcome = by_rows_ ? step_by_rows(member, batch, losses + number, scores + number)
                                     : step_by_columns(member, batch, number + 1 < count ? &next : nullptr,
                                                       losses + number, scores + number);
    if (outcome != Outcome::done) {
      if (member == 0) report = {number, outcome};
      return;
    }
    batch = next;
  }
  if (member == 0) report = {count, Outcome::done};
}

Plan::Batch Plan::batch_of(const Data& data, const Steps& steps, Size number) const {
  Batch batch{};
  const Size start = number * batch_;
  batch.data = &data;
  batch.index = steps.rows.data() + start;
  batch.rows = std::min(batch_, (Size)steps.rows.size() - start);
  batch.step = steps.first_step + (std::uint64_t)number;
  batch.buffer = by_rows_ || images_ ? 0 : (int)(number % 2);
  batch.rate = steps.rates[number];
  batch.update = steps.first_update + number + 1;
  batch.scale = 1;
  double total = (double)batch.rows;
  if (data.weights) {
    total = 0;
    for (Size r = 0; r < batch.rows; ++r) total += data.weights[batch.index[r]];
  }
  const double scale = total > 0 ? 1 / total : 0;
  const Loss loss{loss_,        loss_parameter_, (int)outputs(), data.labels,
                  data.targets, data.weights,    scale,          levels_.data()};
  batch.loss = loss;
  return batch;
}

// To row `to` of the workspace and those behind it: as the front takes them, or without one as the first segment does.
void Plan::gather_rows(const Batch& batch, Size from, Size rows, Workspace& ws, Size to) const {
  const Rows x = front_ ? Rows{ws.front.x[batch.buffer], front_->stride()} : Rows{ws.x[batch.buffer], segments_[0].stride};
  kernels_.gather(batch.data->source, batch.data->x, inputs_, batch.index + from, rows, x.from(to).data, x.stride);
}

void Plan::run_front(Workspace& ws, int buffer, Size from, Size rows) const {
  if (front_) front_->forward(parameters_, ws.front, buffer, from, rows, {ws.x[buffer], segments_[0].stride});
}

void Plan::round_rows(Workspace& ws, int buffer, Size from, Size rows) const {
  const Size stride = segments_[0].stride;
  const int vectors = (int)((segments_[0].units + kernels_.width - 1) / kernels_.width);
  const Block block{ws.x[buffer] + from * stride, stride, rows, vectors};
  kernels_.round_rows(block, ws.rounded_x[buffer].rows + from * stride / 2);
  kernels_.pair_rows(block, ws.rounded_x[buffer].pairs + from / 2 * stride, stride);
}

// A front with parameters waits for the next step: other members may still be changing them.
void Plan::gather(int member, const Batch& batch) {
  const Share pairs = share_of(member, threads_, (batch.rows + 1) / 2);  // bfloat16 takes two rows at once
  const Size from = 2 * pairs.from, rows = std::min(2 * pairs.to, batch.rows) - from;
  gather_rows(batch, from, rows, workspace_, from);
  if (front_ && front_->learns()) return;
  run_front(workspace_, batch.buffer, from, rows);
  if (bf16_) round_rows(workspace_, batch.buffer, from, rows);
}

void Plan::front_forward(int member, const Batch& batch) {
  const Share pairs = share_of(member, threads_, (batch.rows + 1) / 2);
  const Size from = 2 * pairs.from, rows = std::min(2 * pairs.to, batch.rows) - from;
  run_front(workspace_, batch.buffer, from, rows);
  if (bf16_) round_rows(workspace_, batch.buffer, from, rows);
  team_->barrier();
}

// Down through the rows, then the gradient of each parameter, then its update.
void Plan::front_backward(int member, const Batch& batch) {
  const Share rows = share_of(member, threads_, batch.rows);
  const Rows dy{workspace_.segments[0].gradient, segments_[0].stride};
  front_->backward(parameters_, workspace_.front, batch.buffer, rows.from, rows.to - rows.from, dy);
  team_->barrier();
  front_->gradient(share_of(member, threads_, front_->pieces()), workspace_.front, batch.buffer, batch.rows, dy, gradient_,
                   false);
  team_->barrier();
  for (const int number : front_->arrays()) update_whole(member, batch, layout_[number]);
}

Outcome Plan::step_by_columns(int member, Batch& batch, const Batch* next, double* loss, double* score) {
  Workspace& ws = workspace_;
  const std::size_t last = segments_.size() - 1;
  const auto deal_columns = [&](const Segment& segment, bool whole, auto f) {
    const int panels = num_panels(segment.units);
    if (ensemble_ > 1) return deal_rows(member, threads_, panels, batch.rows, rows_of_piece(), f);
    const Size granule = whole ? batch.rows : kernels_.tile_rows[kernels_.panel / kernels_.width];
    deal(member, threads_, panels, batch.rows, granule, f);
  };

  if (images_) images_forward(member, batch);
  if (front_ && front_->learns()) front_forward(member, batch);
  for (std::size_t i = 0; i < last; ++i) {
    const Segment& segment = segments_[i];
    if (!segment.has_affine && segment.operations.empty()) continue;
    deal_columns(segment, segment.normalizes, [&](int panel, Size from, Size to) {
      forward(member, i, ws, {panel, from, to}, batch, 0);
    });
    team_->barrier();
  }
  const Share rows = share_of(member, threads_, batch.rows);  // the loss needs whole rows
  for (int panel = 0; panel < num_panels(outputs()); ++panel)
    forward(member, last, ws, {panel, rows.from, rows.to}, batch, 0);
  loss_of_rows(ws, rows.from, rows.to, batch, 0);
  team_->barrier();
  if (!mean_loss(member, batch, loss, score)) return Outcome::bad_loss;

  for (std::size_t i = last; segments_[i].needs_dx; --i) {
    deal_columns(segments_[i - 1], segments_[i - 1].needs_columns, [&](int panel, Size from, Size to) {
      backward(member, i - 1, ws, {panel, from, to}, batch, 0, nullptr, gradient_, false);
    });
    team_->barrier();
  }

  if (images_ && images_->has_parameters()) images_backward(member, batch);
  if (front_ && front_->learns()) front_backward(member, batch);
  for (std::size_t i = 0; i <= last; ++i) {
    const Segment& segment = segments_[i];
    if (segment.has_affine) {
      const Size samples = batch.rows / segment.heads;
      for (Size sample = 0; sample < samples; sample += batch_block)
        deal(member, threads_, num_panels(segment.units), segment.inputs, 12, [&](int panel, Size from, Size to) {
          const Share part{sample, std::min(sample + batch_block, samples)};
          for (Size head = 0; head < segment.heads; ++head) weight_gradient(member, i, {panel, from, to}, batch, part, head);
          if (from == 0 && part.to == samples) update_small(member, i, panel, batch);
        });
    } else if (segment.learns() && member == 0) {
      for (int panel = 0; panel < num_panels(segment.units); ++panel) update_small(member, i, panel, batch);
    }
  }
  if (clips_norm()) {
    team_->barrier();
    if (!scale_to_norm(member, batch)) return Outcome::bad_gradient;
    update_flat(member, batch);
  }
  if (next && !images_) gather(member, *next);
  return end_step(member);
}

// By samples: each member takes whole groups of them, chunk by chunk; at each batch normalization all wait for one another.
void Plan::images_forward(int member, const Batch& batch) {
  const DropoutSeed dropout_seed{seed_, batch.step};
  Images::Pass pass{images_workspace_, members_[member].images, parameters_, state_, batch.data->source, batch.data->x,
                    batch.index, &dropout_seed};
  const Size groups = images_->groups_of(batch.rows), chunk = images_->samples_of_chunk();
  const Share mine = share_of(member, threads_, groups);
  const Size first = batch.rows * mine.from / groups, last = batch.rows * mine.to / groups;
  for (int stage = 0; stage < images_->num_stages(); ++stage) {
    if (stage > 0) {
      team_->barrier();
      const Share channels = share_of(member, threads_, images_->channels_of(stage));
      images_->batch_statistics(images_workspace_, parameters_, state_, stage, channels, batch.rows);
      team_->barrier();
    }
    for (Size from = first; from < last; from += chunk) {
      const Size to = std::min(from + chunk, last);
      images_->forward(pass, stage, from, to);
      if (stage + 1 < images_->num_stages()) images_->sample_statistics(pass, stage + 1, from, to);
      else images_->write_rows(pass, workspace_.x[0], segments_[0].stride, from, to);
    }
  }
  const Share pieces = share_of(member, threads_, images_->num_pieces());
  for (Size piece = pieces.from; piece < pieces.to; ++piece) images_->transpose_piece(piece, parameters_, transposed_);
  team_->barrier();
}

void Plan::images_backward(int member, const Batch& batch) {
  const DropoutSeed dropout_seed{seed_, batch.step};
  const Size groups = images_->groups_of(batch.rows), chunk = images_->samples_of_chunk(), size = images_->packed_size();
  const Share mine = share_of(member, threads_, groups);
  Images::Pass pass{images_workspace_, members_[member].images, parameters_, state_, batch.data->source, batch.data->x,
                    batch.index, &dropout_seed, transposed_};
  for (int stage = images_->num_stages() - 1; stage >= 0; --stage) {
    for (Size group = mine.from; group < mine.to; ++group) {
      const Size first = batch.rows * group / groups, last = batch.rows * (group + 1) / groups;
      pass.gradient = group_gradients_ + group * size;
      for (Size from = first; from < last; from += chunk) {
        const Size to = std::min(from + chunk, last);
        pass.is_first = from == first;
        if (stage + 1 == images_->num_stages())
          images_->read_gradient_rows(pass, workspace_.segments[0].gradient, segments_[0].stride, from, to);
        images_->backward(pass, stage, from, to);
        if (stage > 0) images_->sample_statistics_back(pass, stage, from, to);
      }
    }
    team_->barrier();
    if (stage == 0) break;
    const Share channels = share_of(member, threads_, images_->channels_of(stage));
    images_->batch_statistics_back(images_workspace_, stage, channels, batch.rows, group_gradients_);
    team_->barrier();
  }
  for (int number = 0; number < images_->num_arrays(); ++number) add_groups(member, batch, layout_[number], groups, size);
}

Outcome Plan::step_by_rows(int member, Batch& batch, double* loss, double* score) {
  Member& own = members_[member];
  Workspace& ws = own.workspace;
  const std::size_t last = segments_.size() - 1;
  for (std::size_t i = 1; i <= last; ++i)
    for (int panel = 0; segments_[i].needs_dx && panel < num_panels(segments_[i].inputs); ++panel)
      transpose_weights(i, panel, 0, segments_[i].units,
                        own.transposed_weights[i] + panel * kernels_.panel * segments_[i].units);

  const Size chunks = (batch.rows + chunk_rows - 1) / chunk_rows, groups = std::min(chunks, most_groups);
  const Share mine = share_of(member, threads_, groups);
  for (Size group = mine.from; group < mine.to; ++group) {
    float* gradient = group_gradients_ + group * layout_.packed_size();
    const Share part{chunks * group / groups, chunks * (group + 1) / groups};
    for (Size chunk = part.from; chunk < part.to; ++chunk) {
      const Size start = chunk * chunk_rows, rows = std::min(chunk_rows, batch.rows - start);
      const bool accumulate = chunk > part.from;
      gather_rows(batch, start, rows, ws, 0);
      run_front(ws, 0, 0, rows);
      for (std::size_t i = 0; i <= last; ++i)
        for (int panel = 0; panel < num_panels(segments_[i].units); ++panel)
          forward(member, i, ws, {panel, 0, rows}, batch, start);
      loss_of_rows(ws, 0, rows, batch, start);
      for (std::size_t i = last; segments_[i].needs_dx; --i)
        for (int panel = 0; panel < num_panels(segments_[i].inputs); ++panel)
          backward(member, i - 1, ws, {panel, 0, rows}, batch, start,
                   own.transposed_weights[i] + panel * kernels_.panel * segments_[i].units, gradient, accumulate);
      for (std::size_t i = 1; i <= last; ++i) chunk_gradient(i, ws, rows, gradient, accumulate);
      if (front_ && front_->learns()) {
        const Rows dy{ws.segments[0].gradient, segments_[0].stride};
        front_->backward(parameters_, ws.front, 0, 0, rows, dy);
        front_->gradient({0, front_->pieces()}, ws.front, 0, rows, dy, gradient, accumulate);
      }
    }
  }
  team_->barrier();
  if (!mean_loss(member, batch, loss, score)) return Outcome::bad_loss;

  for (const Array& array : layout_.arrays()) add_groups(member, batch, array, groups, layout_.packed_size());
  if (clips_norm()) {
    team_->barrier();
    if (!scale_to_norm(member, batch)) return Outcome::bad_gradient;
    update_flat(member, batch);
  }
  return end_step(member);
}

// The end of a step: waits for all members, and tells each of them whether every number is finite.
Outcome Plan::end_step(int member) {
  const float* finite = members_[member].finite;
  if (!kernels_.all_finite(finite, kernels_.width)) bad_update_.store(true, std::memory_order_relaxed);
  if (!kernels_.all_finite(finite + kernels_.width, kernels_.width)) bad_gradient_.store(true, std::memory_order_relaxed);
  if (member == 0 && !kernels_.all_finite(state_, layout_.state_size())) bad_update_.store(true, std::memory_order_relaxed);
  team_->barrier();
  if (bad_gradient_.load(std::memory_order_relaxed)) return Outcome::bad_gradient;
  return bad_update_.load(std::memory_order_relaxed) ? Outcome::bad_update : Outcome::done;
}

}  // namespace pellucid
