// The table of the kernels of one instruction set.
#include "simd/simd.hpp"
#include "kernels/kernels.hpp"

namespace pellucid::PELLUCID_ISA {

void product(const Product&);
void product_bf16(const Product&);
void round_rows(const Block&, float*);
void pair_rows(const Block&, float*, Size);
void transpose(const float*, Size, Size, int, float*, Size);
void pack(const float*, Size, Size, Size, float*, Size);
void column_sums(const Block&, float*, bool);
void activate(Activation, const Block&, float*);
void activate_backward(Activation, const Block&, const float*, const float*);
void dropout(const Mask&, const float*, const Block&, std::uint32_t, std::uint32_t);
void ensemble_scale(const EnsembleScales&, const float*, Size, const Block&);
void ensemble_scale_backward(const EnsembleScales&, const float*, const Block&, float*, float*);
void normalize(const Normalization&, const float*, const Block&);
void normalize_backward(const Normalization&, const float*, const Block&);
void normalize_inference(const Normalization&, const Block&);
void scale_columns(const Scaling&, const float*, const Block&);
void scale_columns_backward(const Scaling&, const float*, const Block&);
void convolve(const Convolution&);
void convolve_gradient(const ConvolutionGradient&);
void convolve_channels(const Convolution&);
void convolve_channels_gradient(const ConvolutionGradient&);
void pool(const Pooling&, const Plane&, const Plane&);
void pool_backward(const Pooling&, const Plane&, const Plane&, const Plane&, const Plane&);
void moments(const Plane&, float*, float*);
void scale_plane(const Plane&, const Plane&, const float*, const float*, const float*);
void normalization_sums(const Plane&, const Plane&, const float*, const float*, float*, float*);
void normalization_backward(const Plane&, const Plane&, const Plane&, const float*, const float*, const float*,
                            const float*);
void normalize_pixels(const LayerNormalization&, const Plane&, const Plane&);
void normalize_pixels_backward(const LayerNormalization&, const Plane&, const Plane&, const Plane*);
void add_plane(const Plane&, const Plane&);
void scale_row(float*, Size, const float*, const float*);
void add_penalty(const Update&, Size, const float*, float*);
void update(const Update&, Size, float*, const float*, float*, float*, float*);
void loss(const Loss&, const Block&, const std::int64_t*, float*, float*, float*);
void softmax(const Block&, Size, float*);
void yes_or_no(const Block&, float*);
void gather(Source, const void*, Size, const std::int64_t*, Size, float*, Size);
void encode(const Encoding&, Size, float*, Size);
void encode_backward(const Encoding&, Size, const float*, Size, const float*, Size, float*, Size);
void make_waves(const Waves&, Size, const float*, Size, float*, Size);
void waves_backward(const Waves&, Size, const float*, Size, float*, Size, float*, Size);
void waves_gradient(const Waves&, Size, Size, Size, const float*, Size, const float*, Size, float*, float*, bool);
void multiply_groups(const Groups&, Size, const float*, Size, float*, Size);
void groups_backward(const Groups&, Size, const float*, Size, float*, Size);
void groups_gradient(const Groups&, Size, Size, const float*, Size, const float*, Size, float*, float*, bool);
void sum_groups(const BinGroups&, float*);
void add_groups(const BinGroups&, const float*, Size, const float*, Size, float*, Size);
void bin_groups_backward(const BinGroups&, Size, const float*, Size, const float*, Size, float*, Size);
void bin_groups_gradient(const BinGroups&, Size, Size, Size, const float*, Size, const float*, Size, float*, float*, float*,
                         bool);
void find_bins(const Encoding&, Size, const float*, Size, InBin*);
void sum_weights(const Encoding&, const float*, int, float*);
void add_bins(const Encoding&, const BinWeights&, const InBin*, const Block&);
bool all_finite(const float*, Size);

#define PELLUCID_QUOTE(x) #x
#define PELLUCID_TEXT(x) PELLUCID_QUOTE(x)

extern const Kernels table;
const Kernels table = {
    PELLUCID_TEXT(PELLUCID_ISA), W, PANEL, wide_vectors * W,
#if defined(__AVX512F__)
    {0, 12, 12, 8, 6},
#else
    {0, 12, 6, 0, 0},
#endif
    product,
#if defined(__AVX512F__)
    product_bf16, round_rows, pair_rows,
#else
    nullptr, nullptr, nullptr,
#endif
    transpose, pack, column_sums, activate, activate_backward, dropout, ensemble_scale, ensemble_scale_backward,
    normalize, normalize_backward, normalize_inference, scale_columns, scale_columns_backward,
    convolve, convolve_gradient, convolve_channels, convolve_channels_gradient, pool, pool_backward,
    moments, scale_plane, normalization_sums, normalization_backward, normalize_pixels, normalize_pixels_backward,
    add_plane, scale_row, add_penalty, update, loss, softmax, yes_or_no, gather, encode, encode_backward,
    make_waves, waves_backward, waves_gradient, multiply_groups, groups_backward, groups_gradient,
    sum_groups, add_groups, bin_groups_backward, bin_groups_gradient, find_bins, sum_weights, add_bins, all_finite,
};

}  // namespace pellucid::PELLUCID_ISA
