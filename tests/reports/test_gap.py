"""What is said of the accuracies of a training: no praise that chance alone would earn."""

from __future__ import annotations

import pytest

from pellucid.reports.gap import Right, gap_in_words

PRAISE = ("as well", "does better", "memorized")


@pytest.mark.parametrize(
    ("training", "validation", "commonest", "judgement"),
    [
        ((150, 300), (50, 100), 50, "not clearly better than"),  # two classes, and a rate of 10
        ((270, 300), (90, 100), 90, "not clearly better than"),  # nine of ten are of one class
        ((7, 10), (7, 10), 5, "not clearly better than"),  # few samples
        ((350, 1000), (380, 1000), 500, "worse than"),
    ],
)
def test_what_is_no_better_than_the_commonest_class_is_not_praised(training, validation, commonest, judgement):
    said = gap_in_words(Right(*training), Right(*validation), commonest)
    assert f"{judgement} always naming the commonest class" in said
    assert f"right for {100 * commonest / validation[1]:.1f}% of the {validation[1]:,} validation samples" in said
    assert said.endswith("nothing shows that it has learned anything.")
    assert not any(words in said for words in PRAISE)


@pytest.mark.parametrize(("right", "of"), [(52, 100), (8, 10)])
def test_what_was_memorized_and_is_no_better_than_the_commonest_class_is_told_both(right, of):
    """Of 10 samples 8 may be chance: Wilson's interval of them begins at 49 %."""
    said = gap_in_words(Right(300, 300), Right(right, of), of // 2)
    assert "That much was memorized, and is of no use on new data." in said
    assert "The validation is not clearly better than always naming the commonest class, which is right for 50.0%" in said


def test_a_gap_is_said_with_its_interval_where_chance_does_not_explain_it():
    """Wilson: 85 of 100 lies in 76.7 to 90.7 %, 1,000 of 1,000 above 99.6 %; the gap is 15 - hypot(0.4, 5.7) at least."""
    said = gap_in_words(Right(1000, 1000), Right(85, 100), 52)
    assert said.startswith("Training 100.0%, validation 85.0%: a gap of 15.0 percentage points")
    assert "(9.3 to 23.3 with 95% confidence, from 100 validation samples)" in said
    assert "That much was memorized, and is of no use on new data." in said


def test_the_same_gap_on_few_samples_says_that_they_are_too_few():
    said = gap_in_words(Right(100, 100), Right(17, 18), 9)
    assert "too few validation samples to tell" in said
    assert "18 validation samples" in said


def test_as_well_is_only_said_where_the_gap_can_be_at_most_five_points():
    assert "about as well on the validation samples" in gap_in_words(Right(970, 1000), Right(5820, 6000), 700)
    assert "about as well on the validation samples" in gap_in_words(Right(300, 300), Right(100, 100), 52)
    assert "too few" in gap_in_words(Right(970, 1000), Right(97, 100), 52)


def test_better_on_validation_is_only_said_where_chance_does_not_explain_it():
    assert "it does better on the validation samples" in gap_in_words(Right(900, 1000), Right(980, 1000), 500)
    assert "does better" not in gap_in_words(Right(900, 1000), Right(46, 50), 25)


def test_one_class_shows_nothing():
    assert "all 20 validation samples are of one class" in gap_in_words(Right(100, 100), Right(20, 20), 20)
