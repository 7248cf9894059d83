// The stages of a front, one after another: forward, back, and the gradients of their parameters.
#include <algorithm>
#include <utility>

#include "plan/front.hpp"
#include "plan/stages.hpp"

namespace pellucid {

void Front::add_encoding(Bins bins) { add(std::make_unique<EncodingStage>(kernels_, std::move(bins))); }

void Front::add_scaling(double rate) { add(std::make_unique<ScalingStage>(outputs(), rate), {{outputs()}}); }

void Front::add_embedding(std::vector<Table> tables, double l1, double l2) {
  std::vector<Parameter> vectors;
  for (const Table& table : tables) vectors.push_back({table.count(), true, l1, l2});
  add(std::make_unique<EmbeddingStage>(outputs(), std::move(tables)), vectors);
}

void Front::add_waves(std::vector<Size> columns, Size frequencies) {
  const Size count = (Size)columns.size() * frequencies;
  add(std::make_unique<WavesStage>(kernels_, outputs(), std::move(columns), frequencies), {{count}, {count}});
}

// Behind an encoding, groups that are each a column and its bins take the columns themselves.
void Front::add_groups(const std::vector<std::vector<Size>>& groups, Size units, double l1, double l2) {
  Size rows = 0;
  for (const auto& group : groups) rows += (Size)group.size();
  const std::vector<Parameter> parameters = {{rows * units, true, l1, l2}, {(Size)groups.size() * units}};
  const Bins* bins = stages_.empty() ? nullptr : stages_.back()->bins();
  if (!bins || !BinGroupsStage::fits(*bins, groups)) {
    add(std::make_unique<GroupsStage>(kernels_, outputs(), groups, units), parameters);
    return;
  }
  const Bins own = *take_last_bins();
  add(std::make_unique<BinGroupsStage>(kernels_, own, units), parameters);
}


void Front::add(std::unique_ptr<Stage> stage, const std::vector<Parameter>& parameters) {
  for (const Parameter& one : parameters) {
    const int number = layout_.add(1, one.count, one.is_weight, one.l1, one.l2);
    stage->arrays.push_back(number);
    stage->places.push_back(vectors_ == Vectors::flat ? layout_[number].flat : layout_[number].packed);
    arrays_.push_back(number);
  }
  if (!parameters.empty()) lowest_ = std::min(lowest_, stages_.size());
  stages_.push_back(std::move(stage));
}

std::optional<Bins> Front::take_last_bins() {
  if (stages_.empty() || !stages_.back()->bins()) return std::nullopt;
  const Bins bins = *stages_.back()->bins();
  stages_.pop_back();
  return bins;
}

Size Front::widest() const {
  Size most = inputs_;
  for (const auto& stage : stages_) most = std::max(most, stage->outputs);
  return most;
}

Size Front::pieces() const {
  Size total = 0;
  for (const auto& stage : stages_) total += stage->pieces();
  return total;
}

Front::Values Front::values(Size rows) const {
  Values values;
  values.x[0] = Buffer(rows * stride());
  for (std::size_t i = 0; i + 1 < stages_.size(); ++i) {
    const Size count = rows * padded(stages_[i]->outputs);
    values.between.emplace_back(count);
    values.gradients.emplace_back(learns() ? count : 0);
  }
  return values;
}

Rows Front::input_of(std::size_t stage, const Values& values, int buffer, Size from) const {
  if (stage == 0) return Rows{values.x[buffer], stride()}.from(from);
  return Rows{values.between[stage - 1], padded(stages_[stage]->inputs)}.from(from);
}

// That of what a stage gives, where that of the last one is dy.
Rows Front::gradient_of(std::size_t stage, const Values& values, Size from, Rows dy) const {
  if (stage + 1 == stages_.size()) return dy.from(from);
  return Rows{values.gradients[stage], padded(stages_[stage]->outputs)}.from(from);
}

void Front::forward(const float* parameters, const Values& values, int buffer, Size from, Size rows, Rows y) const {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const bool is_last = i + 1 == stages_.size();
    stages_[i]->forward(parameters, rows, input_of(i, values, buffer, from),
                        is_last ? y.from(from) : input_of(i + 1, values, buffer, from));
  }
}

void Front::backward(const float* parameters, const Values& values, int buffer, Size from, Size rows, Rows dy) const {
  for (std::size_t i = stages_.size(); i-- > lowest_;)
    stages_[i]->backward(parameters, rows, input_of(i, values, buffer, from), gradient_of(i, values, from, dy),
                         i > lowest_ ? gradient_of(i - 1, values, from, dy) : Rows{nullptr, 0});
}

void Front::gradient(Share pieces, const Values& values, int buffer, Size rows, Rows dy, float* gradient,
                     bool accumulate) const {
  Size number = 0;
  for (std::size_t i = 0; i < stages_.size(); ++i)
    for (Size piece = 0; piece < stages_[i]->pieces(); ++piece, ++number)
      if (number >= pieces.from && number < pieces.to)
        stages_[i]->gradient(piece, rows, input_of(i, values, buffer, 0), gradient_of(i, values, 0, dy), gradient,
                             accumulate);
}

float* Front::run(const float* parameters, Size rows, float* a, float* b, Size stride) const {
  for (const auto& stage : stages_) {
    stage->forward(parameters, rows, {a, stride}, {b, stride});
    std::swap(a, b);
  }
  return a;
}

}  // namespace pellucid
