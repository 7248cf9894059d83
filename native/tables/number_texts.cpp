// See number_texts.hpp.
#include "tables/number_texts.hpp"

#ifdef PELLUCID_NUMBER_TEXTS

#include <cmath>
#include <cstring>

namespace pellucid {

namespace {

char* append(char* to, const char* from, std::ptrdiff_t length) {
  std::memcpy(to, from, (std::size_t)length);
  return to + length;
}

template <class T>
char* write_number(T value, int most_digits, char* to) {
  if (std::signbit(value) && !std::isnan(value)) *to++ = '-';
  value = std::fabs(value);
  if (!std::isfinite(value)) return append(to, std::isnan(value) ? "nan" : "inf", 3);
  char digits[longest_number_text];  // first 1.2345e-03, then 12345
  constexpr auto form = std::chars_format::scientific;
  char* const stop = most_digits > 0 ? std::to_chars(digits, digits + sizeof digits, value, form, most_digits - 1).ptr
                                     : std::to_chars(digits, digits + sizeof digits, value, form).ptr;
  char* const mark = (char*)std::memchr(digits, 'e', (std::size_t)(stop - digits));
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), stop, exponent);
  std::ptrdiff_t count = 1;  // digits
  for (const char* at = digits + 2; at < mark; ++at) digits[count++] = *at;  // over the point
  while (count > 1 && digits[count - 1] == '0') --count;
  if (exponent < -4 || exponent >= 16) {
    *to++ = digits[0];
    if (count > 1) *to++ = '.';
    to = append(to, digits + 1, count - 1);
    return append(to, mark, stop - mark);
  }
  if (exponent < 0) {
    to = append(to, "0.0000", 1 - exponent);
    return append(to, digits, count);
  }
  for (int k = 0; k <= exponent; ++k) *to++ = k < count ? digits[k] : '0';
  *to++ = '.';
  if (count <= exponent + 1) *to++ = '0';
  else to = append(to, digits + exponent + 1, count - exponent - 1);
  return to;
}

}  // namespace

template <class T>
std::ptrdiff_t write_numbers(const T* values, std::ptrdiff_t count, int digits, char* text) {
  char* at = text;
  for (std::ptrdiff_t k = 0; k < count; ++k) {
    if (k > 0) *at++ = '\n';
    at = write_number(values[k], digits, at);
  }
  return at - text;
}

template std::ptrdiff_t write_numbers(const float*, std::ptrdiff_t, int, char*);
template std::ptrdiff_t write_numbers(const double*, std::ptrdiff_t, int, char*);

}  // namespace pellucid

#endif
