"""Pictures in letters and in colors, by hand."""

from __future__ import annotations

import numpy as np

from pellucid.core.display.drawing import as_letters, as_shades, as_small_letters, as_terminal_colors, colored


def test_shades_are_brighter_where_two_rows_are():
    picture = np.array([[0, 60, 120, 180, 240], [0, 62, 120, 180, 255]], np.uint8)
    assert as_shades(picture) == " .:+#"
    assert as_shades(picture, "abc") == "aabcc"
    assert as_shades(np.full((4, 3), 200, np.uint8)) == "\n"  # a picture of one shade shows nothing
    assert as_shades(np.zeros((1, 5), np.uint8)) == ""  # and so does half a line


def test_colors_are_as_bright_as_they_look():
    red, green, blue, white = np.eye(4, 3, dtype=np.uint8) * 255
    white[:] = 255
    row = np.array([0 * red, blue, red, green, white])
    assert as_shades(np.stack([row, row])) == "  .:#"  # 0, 0.114, 0.299, 0.587 and 1 of full light


def test_a_wide_picture_is_drawn_smaller():
    wide = np.zeros((60, 100), np.uint8)
    wide[:, 50:] = 255  # three pixels a letter: the 17th sees one light one of them
    assert as_shades(wide).splitlines() == [" " * 16 + "." + "#" * 16] * 10
    assert as_small_letters(wide.astype(np.float64)).splitlines() == [" " * 16 + "." + "#" * 16] * 10


def test_the_colors_are_blue_grey_and_orange():
    picture = colored(np.array([[-2.0, 0.0], [1.0, 2.0]]))
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[33, 102, 172], [247, 247, 247]], [[232, 171, 124], [217, 95, 2]]]
    assert (colored(np.zeros((2, 3))) == 247).all()


def test_letters():
    values = np.array([[1.0, 0.75, 0.5, 0.25, 0.0], [-1.0, -0.75, -0.5, -0.25, 0.0]])
    assert as_letters(values) == "##++..\n%%==--"


def test_terminal_colors_take_two_rows_a_line():
    text = as_terminal_colors(np.array([[1.0], [-1.0], [0.0]]))
    assert text == ("\x1b[38;2;217;95;2;48;2;33;102;172m▀\x1b[0m\n\x1b[38;2;247;247;247;48;2;247;247;247m▀\x1b[0m")
