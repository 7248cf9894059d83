"""Photos to look at again, on a page and in words; and why a photo is what it is said to be."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from small_backbones import backbone, backbone_model, photos_of

import pellucid as pl
from pellucid.models.transfer.train_head import HeadOptions, train_head
from pellucid.reports.judgement import judge_classes
from pellucid.reports.model_report.page import class_page
from pellucid.reports.photo_suspects import find_suspects


@pytest.fixture(scope="module")
def photos():
    """Two classes; a picture of each part has the other label, and a test picture is one to learn from, but for a pixel."""
    test = photos_of([10, 10], seed=9)
    photos = photos_of([30, 30], test=(test.x.copy(), test.y.copy()))
    photos.y[4] = 1
    photos.test[1][12] = 0
    photos.test[0][3] = photos.x[8]
    photos.test[0][3, 0, 0] ^= 1
    return photos


@pytest.fixture(scope="module")
def model(photos):
    return train_head(photos, backbone(), np.arange(60), np.zeros(0, np.int64), HeadOptions())


def test_wrong_labels_and_near_duplicates_are_found(photos, model):
    found = find_suspects(model, photos)
    labelled = {each.row: each for each in found.labelled}
    assert set(labelled) == {4, 60 + 12}
    assert (found.file(4), found.label(4)) == ("class 0/4.png", "class 1")
    assert (found.file(72), found.label(72)) == ("test/12.png", "class 0")
    assert re.fullmatch(
        r"class 0/4\.png is labelled class 1; of the 5 photos most like it [45] are class 0", found.in_words(labelled[4])
    )
    assert (found.duplicates[0].training, found.duplicates[0].test) == (8, 3)
    assert found.duplicates[0].similarity > 0.999
    only = find_suspects(model, photos, test=False)
    assert ([each.row for each in only.labelled], only.duplicates) == ([4], ())
    assert find_suspects(backbone_model(), photos) is None, "its features have learned the labels"


def test_the_page_shows_them_and_the_learning_curve(photos, model):
    judgement = judge_classes(model, *photos.test, files=photos.test_files)
    page = class_page(judgement, model, "photos", photos.report, suspects=find_suspects(model, photos))
    assert 'href="#suspects"' in page
    assert "2 labels disagree with those of the photos that look most alike" in page
    assert "class 0/4.png" in page
    assert "about the same as one to learn from" in page
    assert "Learning curve" in page
    assert "A new last layer on the features of mine.safetensors, from 60 pictures" in page
    without = class_page(judgement, model, "photos", photos.report)
    assert "suspects" not in without


def test_a_page_without_anything_to_look_at_again_says_so(model):
    photos = photos_of([10, 10])
    found = find_suspects(model, photos)
    page = class_page(judge_classes(model, photos.x, photos.y), model, "photos", photos.report, suspects=found)
    assert "No label disagrees with those of the 5 photos" in page


def test_an_explanation_says_where_and_what_it_resembles(photos, model):
    found = pl.explain(model, photos.x[0], photos=photos)
    places, bias = found.activation.places, found.activation.bias
    assert places.sum() + bias == pytest.approx(found.change.margin, abs=1e-6)
    assert found.resembled[0].file == "class 0/0.png", "the picture itself is among them"
    assert found.resembled[0].similarity == pytest.approx(1)
    assert [each.similarity for each in found.resembled] == sorted((e.similarity for e in found.resembled), reverse=True)
    text = str(found)
    assert "Where in the picture the answer comes from" in text
    assert "Because it resembles these" in text
    assert "class 0/0.png: class 0, similarity 1.00" in text
    assert "orange speaks for class 0, blue for class 1" in found.to_html()
    data = found.to_data()
    assert data["activation"]["bias"] == bias
    assert data["resembled"][0] == {
        "file": "class 0/0.png",
        "label": "class 0",
        "similarity": found.resembled[0].similarity,
    }
    alone = pl.explain(model, photos.x[0])
    assert alone.resembled == ()
    assert "Because it resembles" not in str(alone)


def test_photos_of_another_size_cannot_be_compared_with(photos, model):
    cropped = dataclasses.replace(photos, pipeline=pl.PhotoPipeline(12, 12, crop="pad"))
    with pytest.raises(pl.ArgumentError, match="the photos to compare with were prepared by"):
        pl.explain(model, photos.x[0], photos=cropped)
    with pytest.raises(pl.ArgumentError, match="photos are compared with a picture"):
        pl.explain(pl.Model(pl.Network([pl.Input(4), pl.Classification(2)])), np.zeros(4), photos=photos)
