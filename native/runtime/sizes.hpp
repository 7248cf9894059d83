// Sizes: lengths that are rounded up, the blocks by which work is cut, and the share of one thread.
#pragma once

#include "kernels/kernels.hpp"

namespace pellucid {

// Rows of a panel of weights that a product takes at once: 64 columns wide, they are 128 KiB, which fit into a second-level
// cache with the rest.
inline constexpr Size depth_block = 512;
// Samples over which a weight gradient is summed in registers; 64 columns of them are 64 KiB.
inline constexpr Size batch_block = 256;
// Rows of a product that are computed and then activated while they lie in the nearest cache.
inline constexpr Size row_block = 96;

// Rows over which the gradients of the scales of an ensemble are summed at once: about so many, whole samples of it.
inline constexpr Size ensemble_block = 240;

inline constexpr Size most_networks = 1 << 12;  // of an ensemble

// Steps by rows (see plan/plan.hpp): for few weights and many samples, in chunks that fit into the nearest cache.
inline constexpr Size most_parameters_by_rows = 1 << 15;
inline constexpr Size fewest_rows_by_rows = 192;
inline constexpr Size chunk_rows = 48;
inline constexpr Size most_groups = 64;

// The squares of a gradient are added up in blocks of so many numbers.
inline constexpr Size norm_block = 4096;

inline Size round_up(Size count, Size unit) { return (count + unit - 1) / unit * unit; }

// The stride of rows of `count` numbers: whole cache lines, an odd number of them, so that the rows of a column do not
// fall into the same few sets of a cache.
inline Size padded(Size count) { return (((count + 15) / 16) | 1) * 16; }

// The part [from, to) of `total` that one member of a team works on.
struct Share {
  Size from, to;
};

inline Share share_of(int member, int threads, Size total) {
  return {total * member / threads, total * (member + 1) / threads};
}

}  // namespace pellucid
