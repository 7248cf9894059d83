// Training steps: how the work of a plan is dealt out, and in which order it is done.
#include <cmath>

#include "plan.hpp"
#include "random.hpp"
#include "steps.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace pellucid {

namespace {

// Numbers below 1.2e-38 count as zero while steps run: the first moment of a weight that nothing moves any more ends
// there, and arithmetic on such numbers can be a hundred times slower. The caller's mode comes back afterwards.
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

}  // namespace

Report Plan::run(const Data& data, const Steps& steps, int threads, double* losses, double* scores) {
  Report report{0, Outcome::done};
  threads_ = std::clamp(threads, 1, (int)members_.size());
  if (steps.rates.size() > 1 && !by_rows_ && !images_ && !workspace_.x[1]) {  // a place for the next batch, once it is needed
    workspace_.x[1] = Buffer(batch_ * padded(inputs_));
    if (bf16_) workspace_.rounded_x[1] = Rounded(batch_, padded(inputs_));
  }
  const auto team = borrow_team(threads_);
  team_ = team.get();
  threads_ = team->size();
  bad_gradient_.store(false);
  bad_update_.store(false);
  team->run([&](int member) { work(member, data, steps, losses, scores, report); });
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
  batch.turn = by_rows_ || images_ ? 0 : (int)(number % 2);
  batch.rate = steps.rates[number];
  batch.update = steps.first_update + number + 1;
  batch.scale = 1;
  double total = (double)batch.rows;
  if (data.weights) {
    total = 0;
    for (Size r = 0; r < batch.rows; ++r) total += data.weights[batch.index[r]];
  }
  batch.loss = {loss_, loss_parameter_, (int)outputs(), data.labels, data.targets, data.weights, total > 0 ? 1 / total : 0};
  return batch;
}

void Plan::gather(int member, const Batch& batch) {
  const Share twos = share_of(member, threads_, (batch.rows + 1) / 2);  // bfloat16 pairs rows
  const Size from = 2 * twos.from, rows = std::min(2 * twos.to, batch.rows) - from, stride = padded(inputs_);
  float* x = workspace_.x[batch.turn] + from * stride;
  kernels_.gather(batch.data->source, batch.data->x, inputs_, batch.index + from, rows, x, stride);
  if (!bf16_) return;
  const Block block{x, stride, rows, (int)((inputs_ + kernels_.width - 1) / kernels_.width)};
  kernels_.round_rows(block, workspace_.rounded_x[batch.turn].rows + from * stride / 2);
  kernels_.pair_rows(block, workspace_.rounded_x[batch.turn].pairs + from / 2 * stride, stride);
}

Outcome Plan::step_by_columns(int member, Batch& batch, const Batch* next, double* loss, double* score) {
  Workspace& ws = workspace_;
  const std::size_t last = segments_.size() - 1;
  const auto deal_columns = [&](const Segment& segment, auto f) {  // batch statistics need whole columns
    const Size granule = segment.normalizes ? batch.rows : kernels_.tile_rows[kernels_.panel / kernels_.width];
    deal(member, threads_, num_panels(segment.units), batch.rows, granule, f);
  };

  if (images_) images_forward(member, batch);
  for (std::size_t i = 0; i < last; ++i) {
    const Segment& segment = segments_[i];
    if (!segment.has_affine && segment.operations.empty()) continue;
    deal_columns(segment, [&](int panel, Size from, Size to) { forward(member, i, ws, {panel, from, to}, batch, 0); });
    team_->barrier();
  }
  const Share rows = share_of(member, threads_, batch.rows);  // the loss needs whole rows
  for (int panel = 0; panel < num_panels(outputs()); ++panel)
    forward(member, last, ws, {panel, rows.from, rows.to}, batch, 0);
  loss_of_rows(ws, rows.from, rows.to, batch, 0);
  team_->barrier();
  if (!sum_up(member, batch, loss, score)) return Outcome::bad_loss;

  for (std::size_t i = last; segments_[i].needs_dx; --i) {
    deal_columns(segments_[i - 1], [&](int panel, Size from, Size to) {
      backward(member, i - 1, ws, {panel, from, to}, batch, 0, nullptr);
    });
    team_->barrier();
  }

  if (images_ && images_->learns()) images_backward(member, batch);
  for (std::size_t i = 0; i <= last; ++i) {
    const Segment& segment = segments_[i];
    if (segment.has_affine) {
      deal(member, threads_, num_panels(segment.units), segment.inputs, 12, [&](int panel, Size from, Size to) {
        weight_gradient(member, i, {panel, from, to}, batch);
        if (from == 0) update_small(member, i, panel, batch);
      });
    } else if (segment.normalizes && member == 0) {
      for (int panel = 0; panel < num_panels(segment.units); ++panel) update_small(member, i, panel, batch);
    }
  }
  if (clips_norm()) {
    team_->barrier();
    if (!scale_to_norm(member, batch)) return Outcome::bad_gradient;
    update_flat(member, batch);
  }
  if (next && !images_) gather(member, *next);
  return agree(member);
}

// By samples: each member takes whole groups of them, chunk by chunk, and all meet at each batch normalization.
void Plan::images_forward(int member, const Batch& batch) {
  const Chance chance{seed_, batch.step};
  Images::Pass pass{images_workspace_, members_[member].images, parameters_, state_, batch.data->source, batch.data->x,
                    batch.index, &chance};
  const Size groups = images_->groups_of(batch.rows), chunk = images_->samples_of_chunk();
  const Share mine = share_of(member, threads_, groups);
  const Size first = batch.rows * mine.from / groups, last = batch.rows * mine.to / groups;
  for (int stage = 0; stage < images_->num_stages(); ++stage) {
    if (stage > 0) {
      team_->barrier();
      images_->conclude(images_workspace_, parameters_, state_, stage, share_of(member, threads_, images_->channels_of(stage)), batch.rows);
      team_->barrier();
    }
    for (Size from = first; from < last; from += chunk) {
      const Size to = std::min(from + chunk, last);
      images_->forward(pass, stage, from, to);
      if (stage + 1 < images_->num_stages()) images_->measure(pass, stage + 1, from, to);
      else images_->hand_over(pass, workspace_.x[0], segments_[0].stride, from, to);
    }
  }
  const Share turns = share_of(member, threads_, images_->num_turns());
  for (Size turn = turns.from; turn < turns.to; ++turn) images_->turn(turn, parameters_, turned_);
  team_->barrier();
}

void Plan::images_backward(int member, const Batch& batch) {
  const Chance chance{seed_, batch.step};
  const Size groups = images_->groups_of(batch.rows), chunk = images_->samples_of_chunk(), size = images_->packed_size();
  const Share mine = share_of(member, threads_, groups);
  Images::Pass pass{images_workspace_, members_[member].images, parameters_, state_, batch.data->source, batch.data->x,
                    batch.index, &chance, turned_};
  for (int stage = images_->num_stages() - 1; stage >= 0; --stage) {
    for (Size group = mine.from; group < mine.to; ++group) {
      const Size first = batch.rows * group / groups, last = batch.rows * (group + 1) / groups;
      pass.gradient = group_gradients_ + group * size;
      for (Size from = first; from < last; from += chunk) {
        const Size to = std::min(from + chunk, last);
        pass.is_first = from == first;
        if (stage + 1 == images_->num_stages())
          images_->take_back(pass, workspace_.segments[0].gradient, segments_[0].stride, from, to);
        images_->backward(pass, stage, from, to);
        if (stage > 0) images_->measure_back(pass, stage, from, to);
      }
    }
    team_->barrier();
    if (stage == 0) break;
    images_->conclude_back(images_workspace_, stage, share_of(member, threads_, images_->channels_of(stage)), batch.rows, group_gradients_);
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
      turn_over(i, panel, 0, segments_[i].units, own.turned_weights[i] + panel * kernels_.panel * segments_[i].units);

  const Size chunks = (batch.rows + chunk_rows - 1) / chunk_rows, groups = std::min(chunks, most_groups);
  const Share mine = share_of(member, threads_, groups);
  for (Size group = mine.from; group < mine.to; ++group) {
    float* gradient = group_gradients_ + group * layout_.packed_size();
    const Share part{chunks * group / groups, chunks * (group + 1) / groups};
    for (Size chunk = part.from; chunk < part.to; ++chunk) {
      const Size start = chunk * chunk_rows, rows = std::min(chunk_rows, batch.rows - start);
      const bool accumulate = chunk > part.from;
      kernels_.gather(batch.data->source, batch.data->x, inputs_, batch.index + start, rows, ws.x[0], padded(inputs_));
      for (std::size_t i = 0; i <= last; ++i)
        for (int panel = 0; panel < num_panels(segments_[i].units); ++panel)
          forward(member, i, ws, {panel, 0, rows}, batch, start);
      loss_of_rows(ws, 0, rows, batch, start);
      for (std::size_t i = last; segments_[i].needs_dx; --i)
        for (int panel = 0; panel < num_panels(segments_[i].inputs); ++panel)
          backward(member, i - 1, ws, {panel, 0, rows}, batch, start,
                   own.turned_weights[i] + panel * kernels_.panel * segments_[i].units);
      for (std::size_t i = 1; i <= last; ++i) chunk_gradient(i, ws, rows, gradient, accumulate);
    }
  }
  team_->barrier();
  if (!sum_up(member, batch, loss, score)) return Outcome::bad_loss;

  for (const Array& array : layout_.arrays()) add_groups(member, batch, array, groups, layout_.packed_size());
  if (clips_norm()) {
    team_->barrier();
    if (!scale_to_norm(member, batch)) return Outcome::bad_gradient;
    update_flat(member, batch);
  }
  return agree(member);
}

// The end of a step: all are done, and all know whether every number is finite.
Outcome Plan::agree(int member) {
  const float* finite = members_[member].finite;
  if (!kernels_.all_finite(finite, kernels_.width)) bad_update_.store(true, std::memory_order_relaxed);
  if (!kernels_.all_finite(finite + kernels_.width, kernels_.width)) bad_gradient_.store(true, std::memory_order_relaxed);
  if (member == 0 && !kernels_.all_finite(state_, layout_.state_size())) bad_update_.store(true, std::memory_order_relaxed);
  team_->barrier();
  if (bad_gradient_.load(std::memory_order_relaxed)) return Outcome::bad_gradient;
  return bad_update_.load(std::memory_order_relaxed) ? Outcome::bad_update : Outcome::done;
}

const float* Plan::input_of(std::size_t index, const Workspace& ws, int turn) const {
  const Segment& below = segments_[index - 1];
  if (!below.operations.empty()) return ws.segments[index - 1].outputs.back();
  return below.has_affine ? ws.segments[index - 1].a : ws.x[turn];
}

const Plan::Rounded& Plan::rounded_input_of(std::size_t index, const Workspace& ws, int turn) const {
  const Segment& below = segments_[index - 1];
  return below.has_affine || !below.operations.empty() ? ws.segments[index - 1].rounded : ws.rounded_x[turn];
}

// The B of a product in bfloat16: pairs of neighbors in a column, in memory of the member.
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

void Plan::forward(int member, std::size_t index, Workspace& ws, const Task& task, const Batch& batch, Size first_row) {
  const Segment& segment = segments_[index];
  Workspace::Values& values = ws.segments[index];
  const Size column = (Size)task.panel * kernels_.panel, at = task.from * segment.stride + column;
  const int vectors = panel_vectors(segment.units, task.panel);
  const float* from = index == 0 ? ws.x[batch.turn] : values.a;
  if (segment.has_affine) {
    const float* x = input_of(index, ws, batch.turn);
    const Size x_stride = segments_[index - 1].stride, width = (Size)vectors * kernels_.width;
    const float* weight = parameters_ + layout_[segment.weight].packed + column * segment.inputs;
    const float* bias = segment.bias >= 0 ? parameters_ + layout_[segment.bias].packed + column : nullptr;
    const float* pairs = bf16_ ? pair_panel(member, weight, width, segment.inputs, vectors) : nullptr;
    for (Size row = task.from; row < task.to; row += row_block) {
      const Block block{values.a + row * segment.stride + column, segment.stride, std::min(row_block, task.to - row), vectors};
      if (bf16_) {
        const float* rounded = rounded_input_of(index, ws, batch.turn).rows + row * x_stride / 2;
        Product p{rounded, x_stride / 2, 1, pairs, width, block.data, segment.stride, block.rows, (segment.inputs + 1) / 2,
                  vectors, bias};
        p.skips_zeros = skips_zeros_ && x == ws.x[batch.turn];
        kernels_.product_bf16(p);
      }
      for (Size k = 0; !bf16_ && k < segment.inputs; k += depth_block) {
        Product p{x + row * x_stride + k, x_stride, 1, weight + k * width, width, block.data, segment.stride, block.rows,
                  std::min(depth_block, segment.inputs - k), vectors};
        p.skips_zeros = skips_zeros_ && x == ws.x[batch.turn];
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
    if (operation.is_dropout)
      kernels_.dropout(mask(operation, batch.step), from + at, block,
                       (std::uint32_t)((first_row + task.from) * segment.units + column), (std::uint32_t)segment.units);
    else
      kernels_.normalize(normalization(operation, values, k, column), from + at, block);
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

// The means over the batch, in double precision and in the order of the samples; all members find the same.
bool Plan::sum_up(int member, const Batch& batch, double* loss, double* score) {
  double terms[4] = {}, points[4] = {};  // four sums at once, added up at the end: always in this order
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

// Rows of W^T for the inputs of one panel: (units, panel), for units [from_unit, to_unit).
void Plan::turn_over(std::size_t index, int panel, Size from_unit, Size to_unit, float* to) const {
  const Segment& segment = segments_[index];
  const Size start = (Size)panel * kernels_.panel, count = std::min<Size>(kernels_.panel, segment.inputs - start);
  const Size width = (Size)panel_vectors(segment.inputs, panel) * kernels_.width;
  const float* weight = parameters_ + layout_[segment.weight].packed;
  for (Size unit = from_unit; unit < to_unit; unit += kernels_.panel, to += kernels_.panel * width) {
    const int vectors = panel_vectors(segment.units, (int)(unit / kernels_.panel));
    const Size stride = (Size)vectors * kernels_.width;
    for (Size u = 0; count < width && u < stride; ++u) std::fill_n(to + u * width + count, width - count, 0.0f);
    kernels_.transpose(weight + unit * segment.inputs + start * stride, stride, count, vectors, to, width);
  }
}

void Plan::backward(int member, std::size_t index, Workspace& ws, const Task& task, const Batch& batch, Size first_row,
                    const float* turned) {
  const Segment &segment = segments_[index], &above = segments_[index + 1];
  Workspace::Values& values = ws.segments[index];
  const Size column = (Size)task.panel * kernels_.panel, at = task.from * segment.stride + column;
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width, rows = task.to - task.from;
  const float* dz = ws.segments[index + 1].gradient + task.from * above.stride;
  for (Size unit = 0; unit < above.units; unit += depth_block) {
    const Size units = std::min(depth_block, above.units - unit);
    if (!turned) turn_over(index + 1, task.panel, unit, unit + units, members_[member].turned);
    const float* weight = turned ? turned + unit * width : members_[member].turned;
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
    if (operation.is_dropout) {
      kernels_.dropout(mask(operation, batch.step), dy.data, dy,
                       (std::uint32_t)((first_row + task.from) * segment.units + column), (std::uint32_t)segment.units);
    } else {
      const float* x = k > 0 ? values.outputs[k - 1] : segment.has_affine ? values.a : ws.x[batch.turn];
      kernels_.normalize_backward(normalization(operation, values, k, column), x + at, dy);
    }
  }
  if (segment.has_affine)
    kernels_.activate_backward(segment.activation, dy, values.a + at, values.z ? values.z + at : nullptr);
  if (bf16_) kernels_.round_rows(dy, values.rounded_gradient + at / 2);
}

// By columns: rows [from, to) of a panel of dW = x^T dz, and the update of each tile as it comes.
void Plan::weight_gradient(int member, std::size_t index, const Task& task, const Batch& batch) {
  const Segment& segment = segments_[index];
  const Array& array = layout_[segment.weight];
  const int vectors = panel_vectors(segment.units, task.panel);
  const Size width = (Size)vectors * kernels_.width, column = (Size)task.panel * kernels_.panel;
  const Size base = array.packed + column * segment.inputs, height = kernels_.tile_rows[vectors];
  const float* x = input_of(index, workspace_, batch.turn);
  const float* dz = workspace_.segments[index].gradient + column;
  const Size x_stride = segments_[index - 1].stride;
  const bool at_once = batch.rows <= batch_block && !clips_norm();
  const Update update = update_for(array, batch);
  for (Size sample = 0; sample < batch.rows; sample += batch_block) {
    const bool is_last = sample + batch_block >= batch.rows;
    const Size samples = std::min(batch_block, batch.rows - sample);
    const float* pairs = bf16_ ? pair_panel(member, dz + sample * segment.stride, segment.stride, samples, vectors) : nullptr;
    for (Size row = task.from; row < task.to; row += height) {
      const Size place = base + row * width, rows = std::min(height, task.to - row);
      float* gradient = at_once ? (float*)members_[member].gradient_tile : gradient_ + place;
      Product p{x + sample * x_stride + row, 1, x_stride, dz + sample * segment.stride, segment.stride, gradient, width, rows, samples,
                vectors};
      p.accumulate = sample > 0;
      p.skips_zeros = skips_zeros_ && x == workspace_.x[batch.turn];
      if (bf16_) {
        p.a = rounded_input_of(index, workspace_, batch.turn).pairs + sample / 2 * x_stride + row;
        p.b = pairs;
        p.b_row = width;
        p.depth = (samples + 1) / 2;
        kernels_.product_bf16(p);
      } else {
        kernels_.product(p);
      }
      if (!is_last) continue;
      if (clips_norm()) kernels_.add_price(update, rows * width, parameters_ + place, gradient);
      else update_range(member, update, place, rows * width, gradient);
    }
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
      kernels_.column_sums({dz, segment.stride, rows, vectors}, gradient + layout_[segment.bias].packed + column, accumulate);
  }
}

// By rows: the member's part of an array; the gradients of all groups are added up in order, then comes the update.
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
    if (clips_norm()) kernels_.add_price(update, count, parameters_ + place, sum);
    else update_range(member, update, place, count, sum);
  }
}

// By columns: bias, scale and shift of one panel. Those of batch normalization got their gradients on the way back.
void Plan::update_small(int member, std::size_t index, int panel, const Batch& batch) {
  const Segment& segment = segments_[index];
  const int vectors = panel_vectors(segment.units, panel);
  const Size column = (Size)panel * kernels_.panel, width = (Size)vectors * kernels_.width;
  const auto finish = [&](int number) {
    const Size place = layout_[number].packed + column;
    if (!clips_norm()) update_range(member, update_for(layout_[number], batch), place, width, gradient_ + place);
  };
  if (segment.bias >= 0) {
    kernels_.column_sums({workspace_.segments[index].gradient + column, segment.stride, batch.rows, vectors},
                         gradient_ + layout_[segment.bias].packed + column, false);
    finish(segment.bias);
  }
  for (const Operation& operation : segment.operations)
    if (!operation.is_dropout) {
      finish(operation.gamma);
      finish(operation.beta);
    }
}

void Plan::update_range(int member, const Update& update, Size place, Size count, const float* gradient) {
  kernels_.update(update, count, parameters_ + place, gradient, first_ + place, second_ + place, members_[member].finite);
}

// The bound on the norm of the whole gradient: sums of squares in fixed blocks, added up in order by every member.
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
    update.l1 = update.twice_l2 = 0;  // the price is already in the gradient
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
  if (o.rule == Rule::adam) {  // both roots of the bias corrections as factors, so that a step needs one division
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
