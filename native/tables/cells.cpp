// Numbers, dates, and texts that are equal: see cells.hpp.
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "tables/cells.hpp"

namespace pellucid {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr int longest_number = 64;                   // characters
constexpr std::uint64_t largest_exact = 1ull << 53;  // up to here whole numbers are exact in float64
constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};  // exact, too

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number of the usual form, rounded right for any number of digits.
bool round_number(const char* from, const char* end, char decimal, double* value) {
#if defined(__cpp_lib_to_chars)
  char text[longest_number];
  const std::size_t length = (std::size_t)(end - from);
  std::memcpy(text, from, length);
  if (char* point = decimal == '.' ? nullptr : (char*)std::memchr(text, decimal, length)) *point = '.';
  const auto result = std::from_chars(text, text + length, *value);
  return result.ec == std::errc() && result.ptr == text + length;
#else
  (void)from, (void)end, (void)decimal, (void)value;
  return false;
#endif
}

Cell read_number(const char* from, const char* end, char decimal, double* value) {
  *value = none;
  if (from == end) return Cell::empty;
  if (end - from > longest_number) return Cell::other;
  const bool is_negative = *from == '-';
  if (is_negative || *from == '+') ++from;
  std::uint64_t digits = 0;
  const char* at = from;
  for (; at < end && is_digit(*at); ++at) digits = 10 * digits + (std::uint64_t)(*at - '0');
  const std::ptrdiff_t before = at - from;
  if (before > 1 && *from == '0') return Cell::other;  // a code
  std::ptrdiff_t behind = 0;
  const bool is_pointed = at < end && *at == decimal;
  if (is_pointed) {
    const char* first = ++at;
    for (; at < end && is_digit(*at); ++at) digits = 10 * digits + (std::uint64_t)(*at - '0');
    behind = at - first;
  }
  const std::ptrdiff_t count = before + behind;
  if (count == 0) return Cell::other;
  const bool has_exponent = at < end && (*at == 'e' || *at == 'E');
  if (has_exponent) {
    ++at;
    if (at < end && (*at == '-' || *at == '+')) ++at;
    if (at == end) return Cell::other;
    while (at < end && is_digit(*at)) ++at;
    if (!is_digit(at[-1])) return Cell::other;
  }
  if (at != end) return Cell::other;
  double size;
  // a quotient of two exact numbers is rounded once (Clinger 1990)
  if (!has_exponent && count <= 19 && digits <= largest_exact) size = (double)digits / powers[behind];
  else if (!round_number(from, end, decimal, &size)) return Cell::other;
  *value = is_negative ? -size : size;
  if (!is_pointed) return Cell::whole;
  return behind == 3 && before >= 1 && before <= 3 && *from != '0' ? Cell::grouped : Cell::pointed;
}

// A number of `least` to `most` digits at `at`, which moves behind it; -1 if there is none.
int read_digits(const char*& at, const char* end, int least, int most) {
  int value = 0, count = 0;
  for (; count < most && at < end && is_digit(*at); ++at, ++count) value = 10 * value + (*at - '0');
  return count < least ? -1 : value;
}

// Days since 1970 of a date of the Gregorian calendar; the year begins with March, so that leap days come last.
std::int64_t days_since_1970(int year, int month, int day) {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return 365 * y + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

int days_of(int month, int year) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

Cell read_date(const char* at, const char* end, DateOrder order, double* value) {
  *value = none;
  if (at == end) return Cell::empty;
  int part[3];
  char separator = 0;
  for (int k = 0; k < 3; ++k) {
    const bool is_year = k == (order == DateOrder::ymd ? 0 : 2);
    part[k] = is_year ? read_digits(at, end, 4, 4) : read_digits(at, end, 1, 2);
    if (part[k] < 0) return Cell::other;
    if (k == 2) break;
    if (at == end || (k == 1 && *at != separator)) return Cell::other;
    separator = *at++;
  }
  if (separator != '-' && separator != '/' && (separator != '.' || order == DateOrder::mdy)) return Cell::other;
  const int year = part[order == DateOrder::ymd ? 0 : 2], month = part[order == DateOrder::mdy ? 0 : 1];
  const int day = part[order == DateOrder::ymd ? 2 : order == DateOrder::dmy ? 0 : 1];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of(month, year)) return Cell::other;
  int hour = 0, minute = 0, second = 0;
  if (at < end) {
    if (*at != ' ' && *at != 'T') return Cell::other;
    hour = read_digits(++at, end, 1, 2);
    if (hour < 0 || hour > 23 || at == end || *at != ':') return Cell::other;
    minute = read_digits(++at, end, 2, 2);
    if (minute < 0 || minute > 59) return Cell::other;
    if (at < end) {
      if (*at != ':') return Cell::other;
      second = read_digits(++at, end, 2, 2);
      if (second < 0 || second > 59 || at < end) return Cell::other;
    }
  }
  *value = (double)(days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second);
  return Cell::whole;
}

std::uint64_t hash_of(const char* text, std::size_t length) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio, odd
  std::uint64_t hash = length * factor;
  for (; length > 0;) {
    std::uint64_t word = 0;
    const std::size_t taken = length < 8 ? length : 8;
    std::memcpy(&word, text, taken);
    hash = (hash ^ word) * factor;
    hash ^= hash >> 29;
    text += taken;
    length -= taken;
  }
  hash *= 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_of(const Cells& cells, std::ptrdiff_t k) {
  return hash_of(cells.text + cells.begins[k], (std::size_t)(cells.ends[k] - cells.begins[k]));
}

bool are_equal(const Cells& cells, std::ptrdiff_t a, std::ptrdiff_t b) {
  const auto length = cells.ends[a] - cells.begins[a];
  return length == cells.ends[b] - cells.begins[b] &&
         std::memcmp(cells.text + cells.begins[a], cells.text + cells.begins[b], (std::size_t)length) == 0;
}

template <class Hash, class Equal>
void find_first(std::ptrdiff_t count, Hash hash, Equal equal, std::int64_t* first) {
  int bits = 4;
  while ((std::ptrdiff_t)1 << bits < 2 * count) ++bits;
  const std::size_t size = (std::size_t)1 << bits;
  std::vector<std::int64_t> places(size, -1);  // by the first bits of the hash; a taken place is passed over
  for (std::ptrdiff_t k = 0; k < count; ++k) {
    std::size_t at = hash(k) >> (64 - bits);
    while (places[at] >= 0 && !equal(k, places[at])) at = (at + 1) & (size - 1);
    if (places[at] < 0) places[at] = k;
    first[k] = places[at];
  }
}

}  // namespace

bool divide_rows(const char* text, std::ptrdiff_t size, char delimiter, char line_end, std::ptrdiff_t width,
                 std::ptrdiff_t rows, std::int64_t* begins, std::int64_t* ends) {
  const auto is_space = [=](char c) { return c != delimiter && c != line_end && (c == ' ' || c == '\t' || c == '\r'); };
  bool may_end[256] = {};  // a cell without quotes; the NUL byte behind the text, too
  for (const char c : {delimiter, line_end, '"', '\0', '\n', '\r'}) may_end[(unsigned char)c] = true;
  const char *at = text, *const stop = text + size;
  for (std::ptrdiff_t row = 0; row < rows; ++row) {
    if (row > 0) {
      if (at == stop || *at != line_end) return false;
      ++at;
    }
    for (std::ptrdiff_t column = 0; column < width; ++column) {
      if (column > 0) {
        if (at == stop || *at != delimiter) return false;
        ++at;
      }
      while (at < stop && *at == ' ' && delimiter != ' ') ++at;
      const char *begin = at, *end;
      if (at < stop && *at == '"') {
        for (begin = ++at; at < stop && *at != '"'; ++at)
          if (*at == '\n' || *at == '\r' || *at == 0) return false;
        if (at == stop) return false;
        end = at++;
        if (at < stop && *at == '\r' && line_end == '\n') ++at;
      } else {
        for (;; ++at) {
          while (!may_end[(unsigned char)*at]) ++at;
          if (at == stop || *at == delimiter || *at == line_end) break;
          if (*at != '\r' || (at + 1 < stop && at[1] != '\n')) return false;
        }
        end = at;
      }
      while (begin < end && is_space(*begin)) ++begin;
      while (begin < end && is_space(end[-1])) --end;
      begins[column * rows + row] = begin - text;
      ends[column * rows + row] = end - text;
    }
  }
  return at == stop;
}

void read_numbers(const Cells& cells, char decimal, double* values, Cell* kinds) {
  for (std::ptrdiff_t k = 0; k < cells.count; ++k)
    kinds[k] = read_number(cells.text + cells.begins[k], cells.text + cells.ends[k], decimal, values + k);
}

void read_dates(const Cells& cells, DateOrder order, double* values, Cell* kinds) {
  for (std::ptrdiff_t k = 0; k < cells.count; ++k)
    kinds[k] = read_date(cells.text + cells.begins[k], cells.text + cells.ends[k], order, values + k);
}

void find_first(const Cells& cells, std::int64_t* first) {
  find_first(
      cells.count, [&](std::ptrdiff_t k) { return hash_of(cells, k); },
      [&](std::ptrdiff_t a, std::ptrdiff_t b) { return are_equal(cells, a, b); }, first);
}

void find_first(const std::uint64_t* hashes, std::ptrdiff_t count, std::int64_t* first) {
  find_first(
      count, [=](std::ptrdiff_t k) { return hashes[k]; },
      [=](std::ptrdiff_t a, std::ptrdiff_t b) { return hashes[a] == hashes[b]; }, first);
}

void hash_cells(const Cells& cells, std::uint64_t* hashes) {
  for (std::ptrdiff_t k = 0; k < cells.count; ++k) hashes[k] = hash_of(cells, k);
}

}  // namespace pellucid
