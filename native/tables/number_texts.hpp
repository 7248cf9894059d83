// Numbers as texts, as Python writes them (repr).
#pragma once

#include <charconv>
#include <cstddef>

#if defined(__cpp_lib_to_chars)  // a library without it has no shortest digits; then Python writes all numbers
#define PELLUCID_NUMBER_TEXTS
#endif

namespace pellucid {

constexpr std::ptrdiff_t longest_number_text = 32;  // with a line break

// Writes each number in a line, without a break behind the last one, and gives the length: the fewest digits that only this
// number has; or with `digits` this many digits at most, rounded. There is room for count * longest_number_text.
template <class T>
std::ptrdiff_t write_numbers(const T* values, std::ptrdiff_t count, int digits, char* text);

}  // namespace pellucid
