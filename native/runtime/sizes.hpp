// Sizes by which steps are cut, and small helpers that the files of a plan share.
#pragma once

#include <algorithm>

#include "kernels/kernels.hpp"

namespace pellucid {

// A panel of weights of this depth, 64 columns wide, is 128 KiB: it stays in a second-level cache beside the rest.
inline constexpr Size depth_block = 512;
// Samples whose gradients are summed in registers at once; their 64 columns are 64 KiB.
inline constexpr Size batch_block = 256;
// Rows of activations that are made and activated while they lie in the nearest cache.
inline constexpr Size row_block = 96;

// By rows: when the weights are few and the samples many; in chunks that fit into the nearest cache.
inline constexpr Size most_parameters_by_rows = 1 << 15;
inline constexpr Size fewest_rows_by_rows = 192;
inline constexpr Size chunk_rows = 48;
inline constexpr Size most_groups = 64;

// The squares of a gradient are added up in blocks of this many.
inline constexpr Size norm_block = 4096;

inline bool keeps_sum(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu || activation == Activation::softplus ||
         activation == Activation::hard_sigmoid;
}

// The part [from, to) of `total` that falls to one member of a team.
struct Share {
  Size from, to;
};

inline Share share_of(int member, int threads, Size total) {
  return {total * member / threads, total * (member + 1) / threads};
}

}  // namespace pellucid
