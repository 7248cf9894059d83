// Where the arrays of a network lie: in the flat vectors of pellucid/nn/parameters.py, and in the packed layout of the
// kernels (panel by panel: see kernels/kernels.hpp). Parameters, moments and gradients share one layout; state has another.
#pragma once

#include <vector>

#include "kernels/kernels.hpp"
#include "runtime/sizes.hpp"

namespace pellucid {

// A weight matrix (rows, columns), or a vector (1, columns). `flat_row` numbers lie between rows of the flat matrix.
struct Array {
  Size flat, flat_row, packed, rows, columns;
  double l1 = 0, l2 = 0;
  bool is_weight = false;

  Size stored() const { return rows * round_up(columns, 16); }  // numbers in the packed layout
};

struct StateArray {
  Size flat, packed, count;
};

class Layout {
 public:
  explicit Layout(const Kernels& kernels) : kernels_(kernels) {}

  // Adds the matrix or vector that comes next in the flat vector, and returns its number.
  int add(Size rows, Size columns, bool is_weight = false, double l1 = 0, double l2 = 0);
  // Adds one flat matrix as `parts` arrays, equal groups of its columns, and returns the number of the first.
  int add_parts(Size rows, Size columns, Size parts, bool is_weight = false, double l1 = 0, double l2 = 0);
  // Adds a vector of state, and returns its place in the packed state.
  Size add_state(Size count);

  const std::vector<Array>& arrays() const { return arrays_; }
  const Array& operator[](int number) const { return arrays_[number]; }
  Size flat_size() const { return flat_size_; }
  Size packed_size() const { return packed_size_; }
  Size flat_state_size() const { return flat_state_size_; }
  Size state_size() const { return state_size_; }

  int num_panels(Size columns) const { return (int)((columns + kernels_.panel - 1) / kernels_.panel); }
  int panel_vectors(Size columns, int panel) const;

  void pack(const float* flat, float* packed) const;
  void unpack(const float* packed, float* flat) const;
  void pack_state(const float* flat, float* packed) const;
  void unpack_state(const float* packed, float* flat) const;

 private:
  template <class Copy>
  void each_panel(Copy copy) const;

  const Kernels& kernels_;
  std::vector<Array> arrays_;
  std::vector<StateArray> states_;
  Size flat_size_ = 0, packed_size_ = 0, flat_state_size_ = 0, state_size_ = 0;
};

}  // namespace pellucid
