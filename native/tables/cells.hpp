// The cells of a table's column, as they lie in the bytes of a text: which numbers and dates they are, and which are equal.
// What is not read here, such as 1,234 or 2. January 2020, is read in Python (pellucid/data/tables), which says what a cell
// means; here the same is done for the usual cells, many at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pellucid {

// The cell k is text[begins[k], ends[k]), in UTF-8.
struct Cells {
  const char* text;
  const std::int64_t *begins, *ends;
  std::ptrdiff_t count;
};

// Divides the lines of a text into cells, if every line is a row of `width` of them: begins and ends (width, rows), column by
// column, without spaces around cells, and without the quotes around a cell that holds none. False if any line is something
// else: of another width, blank, with other quotes, with a NUL byte, or with a carriage return that ends no line. Behind the
// text stands a NUL byte.
bool divide_rows(const char* text, std::ptrdiff_t size, char delimiter, char line_end, std::ptrdiff_t width,
                 std::ptrdiff_t rows, std::int64_t* begins, std::int64_t* ends);

// What a cell is. A grouped number could also be a whole one with signs between thousands: 1.234.
enum class Cell : std::uint8_t { whole, pointed, grouped, empty, other };

// Numbers with this decimal sign and nothing between thousands, rounded as by Python's float; NaN for all else.
void read_numbers(const Cells& cells, char decimal, double* values, Cell* kinds);

// Dates with a time or without: seconds since 1970; NaN for all else. The order is one of those of numbers: ymd, dmy, mdy.
enum class DateOrder : int { ymd, dmy, mdy };
void read_dates(const Cells& cells, DateOrder order, double* values, Cell* kinds);

// For each cell the place of the first one with the same text.
void find_first(const Cells& cells, std::int64_t* first);

// For each cell 64 bits that depend on its text alone.
void hash_cells(const Cells& cells, std::uint64_t* hashes);

// For each hash the place of the first one that is equal.
void find_first(const std::uint64_t* hashes, std::ptrdiff_t count, std::int64_t* first);

}  // namespace pellucid
