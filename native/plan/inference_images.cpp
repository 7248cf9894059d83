// Prediction of images: their memory, and threads that work on the same samples.
#include <algorithm>
#include <atomic>

#include "plan/inference.hpp"

namespace pellucid {

void Inference::fold(const float* parameters, const float* state) {
  auto folded = std::make_shared<const Prediction::Folded>(prediction_->fold(parameters, state));
  const std::lock_guard lock(mutex_);
  folded_ = std::move(folded);
}

std::unique_ptr<Inference::Room> Inference::borrow_room() const {
  {
    const std::lock_guard lock(mutex_);
    if (!rooms_.empty()) {
      auto room = std::move(rooms_.back());
      rooms_.pop_back();
      return room;
    }
  }
  return std::make_unique<Room>(prediction_->workspace(images_->samples_of_chunk()), prediction_->scratch());
}

void Inference::give_back(std::unique_ptr<Room> room) const {
  const std::lock_guard lock(mutex_);
  rooms_.push_back(std::move(room));
}

// The image part, up to the rows that the next layer takes.
void Inference::run_images(const Call& call, const void* x, Size rows, float* to, Size stride, const Crew& crew) const {
  auto room = borrow_room();
  Images::Workspace& workspace = (crew.workspace ? *crew.workspace : room->workspace).nodes;
  std::int64_t index[most_images];
  const Size chunk = images_->samples_of_chunk();
  for (Size start = 0; start < rows; start += chunk) {
    const Size count = std::min(chunk, rows - start);
    for (Size s = 0; s < count; ++s) index[s] = start + s;
    Images::Pass pass{workspace, room->own.nodes, call.folded->parameters, call.folded->state, call.source, x, index};
    prediction_->run({pass, *call.folded, room->own}, count, crew.together, crew.member);
    if (crew.member == 0) images_->write_rows(pass, to + start * stride, stride, 0, count);
    crew.meet();
  }
  give_back(std::move(room));
}

// Fewer samples than threads: these share out each layer.
bool Inference::run_together(const Call& call, const void* x, Size rows, float* to, int threads) const {
  const auto team = borrow_team(threads);
  auto room = borrow_room();
  const Buffer values(2 * value_room(rows));
  Prediction::Together together{*team};
  std::atomic<bool> finite{true};
  team->run([&](int member) {
    if (!run_block(call, x, rows, to, {&together, member, &room->workspace, values})) finite = false;
  });
  give_back(std::move(room));
  return finite;
}

}  // namespace pellucid
