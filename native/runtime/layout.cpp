// Parameters and state between the flat vectors and the packed layout of the kernels.
#include <algorithm>

#include "runtime/layout.hpp"

namespace pellucid {

int Layout::add(Size rows, Size columns, bool is_weight, double l1, double l2) {
  return add_parts(rows, columns, 1, is_weight, l1, l2);
}

int Layout::add_parts(Size rows, Size columns, Size parts, bool is_weight, double l1, double l2) {
  const Size wide = columns / parts;
  for (Size part = 0; part < parts; ++part) {
    arrays_.push_back({flat_size_ + part * wide, columns, packed_size_, rows, wide, l1, l2, is_weight});
    packed_size_ += arrays_.back().stored();
  }
  flat_size_ += rows * columns;
  return (int)(arrays_.size() - parts);
}

Size Layout::add_state(Size count) {
  states_.push_back({flat_state_size_, state_size_, count});
  flat_state_size_ += count;
  state_size_ += round_up(count, 16);
  return states_.back().packed;
}

int Layout::panel_vectors(Size columns, int panel) const {
  const Size left = columns - (Size)panel * kernels_.panel;
  return (int)((std::min<Size>(left, kernels_.panel) + kernels_.width - 1) / kernels_.width);
}

// Calls copy(array, place in the flat vector, place in the packed one, columns, numbers from row to row) for each panel.
template <class Copy>
void Layout::each_panel(Copy copy) const {
  for (const Array& array : arrays_)
    for (Size column = 0; column < array.columns; column += kernels_.panel) {
      const Size wide = std::min<Size>(array.columns - column, kernels_.panel);
      copy(array, array.flat + column, array.packed + column * array.rows, wide, round_up(wide, kernels_.width));
    }
}

// The padding is updated like the parameters, so after a step that failed it may hold NaN: it must be cleared too.
void Layout::pack(const float* flat, float* packed) const {
  std::fill_n(packed, packed_size_, 0.0f);
  each_panel([&](const Array& array, Size from, Size to, Size wide, Size stride) {
    kernels_.pack(flat + from, array.flat_row, array.rows, wide, packed + to, stride);
  });
}

void Layout::unpack(const float* packed, float* flat) const {
  each_panel([&](const Array& array, Size to, Size from, Size wide, Size stride) {
    for (Size row = 0; row < array.rows; ++row)
      std::copy_n(packed + from + row * stride, wide, flat + to + row * array.flat_row);
  });
}

void Layout::pack_state(const float* flat, float* packed) const {
  std::fill_n(packed, state_size_, 0.0f);
  for (const StateArray& s : states_) std::copy_n(flat + s.flat, s.count, packed + s.packed);
}

void Layout::unpack_state(const float* packed, float* flat) const {
  for (const StateArray& s : states_) std::copy_n(packed + s.packed, s.count, flat + s.flat);
}

}  // namespace pellucid
