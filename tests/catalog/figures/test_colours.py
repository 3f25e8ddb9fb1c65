"""The colour scales, measured in CAM02-UCS and CIELAB by a library that shares nothing with the module under test."""

from __future__ import annotations

import numpy as np
import pytest
from colorspacious import cspace_convert

from catalog.figures.colours import amount_colours, change_colours

DEFICIENCIES = ("protanomaly", "deuteranomaly", "tritanomaly")
# from the neutral middle outwards, loss and gain
ARMS = {"loss": change_colours()[127::-1], "gain": change_colours()[128:]}


def seen(rgb, space="CAM02-UCS", deficiency=None):
    """Coordinates (lightness, red-green, blue-yellow) of sRGB colours as a reader sees them."""
    if deficiency is not None:
        simulated = {"name": "sRGB1+CVD", "cvd_type": deficiency, "severity": 100}
        rgb = np.clip(cspace_convert(rgb, simulated, "sRGB1"), 0, 1)
    return cspace_convert(rgb, "sRGB1", space)


def steps(values, apart=8):
    """Changes over every eighth colour: finer ones are lost in what the model itself leaves uneven."""
    return np.diff(values[::apart], axis=0)


@pytest.mark.parametrize("arm", [*ARMS, "amount"])
def test_lightness_falls_in_even_steps(arm):
    colours = ARMS[arm] if arm in ARMS else amount_colours()
    in_lab = -steps(seen(colours, "CIELab")[:, 0])
    in_ucs = -steps(seen(colours)[:, 0])
    assert in_lab.min() > 0
    assert in_lab.max() / in_lab.min() < 1.05
    assert in_ucs.max() / in_ucs.min() < 1.45


@pytest.mark.parametrize("arm", ARMS)
def test_the_arms_take_even_steps_in_colour(arm):
    distance = np.linalg.norm(steps(seen(ARMS[arm])), axis=1)
    assert distance.max() / distance.min() < 1.4


def test_the_scale_is_centred_on_a_light_neutral():
    middle = seen(change_colours()[127:129], "CIELab")
    assert (middle[:, 0] > 95).all()
    assert np.abs(middle[:, 1:]).max() < 1


def test_loss_and_gain_of_one_size_are_equally_dark():
    loss, gain = (seen(ARMS[arm], "CIELab")[:, 0] for arm in ("loss", "gain"))
    assert np.abs(loss - gain).max() < 1


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
@pytest.mark.parametrize("arm", ARMS)
def test_every_reader_sees_lightness_fall_all_the_way(arm, deficiency):
    assert steps(seen(ARMS[arm], deficiency=deficiency)[:, 0]).max() < 0


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_every_reader_tells_loss_from_gain(deficiency):
    loss, gain = (seen(ARMS[arm], deficiency=deficiency) for arm in ("loss", "gain"))
    distance = np.linalg.norm(loss - gain, axis=1)
    # a difference of 1 is just noticeable; from an eighth of the scale on it is plain
    assert distance[16:].min() > 8


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_no_reader_takes_one_step_of_the_scale_for_another(deficiency):
    chosen = seen(change_colours()[:: 255 // 15], deficiency=deficiency)
    apart = np.linalg.norm(chosen[:, np.newaxis] - chosen, axis=2)[~np.eye(len(chosen), dtype=bool)]
    assert apart.min() > 2.5
