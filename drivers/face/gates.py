"""When a picture of a face is good enough to be compared: measures in, one problem out.

What the gates keep out would only be refused by whoever compares the face, later and without a
word that helps. The order of the problems is the order in which a person can mend them. No
standard gives the figures for a kiosk's camera: all of them are ours (mark I), measured on
pictures of one face that were made smaller, darker, turned and blurred.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FaceProblem(Enum):
    """Why a picture of a face is of no use, in the order in which it is told."""

    NO_FACE = "no-face"
    SEVERAL = "several"
    """Somebody else is as near as the resident: never guess who is meant."""
    TOO_FAR = "too-far"
    TOO_NEAR = "too-near"
    OFF_CENTRE = "off-centre"
    DARK = "dark"
    BRIGHT = "bright"
    TURNED = "turned"
    """Not straight at the camera, or an eye is hidden or closed."""
    TILTED = "tilted"
    """The head leans to a shoulder."""
    FLAT = "flat"
    """Too little contrast: light from behind, a misted lens."""
    BLURRED = "blurred"
    """Moving, or out of focus."""


@dataclass(frozen=True)
class FaceGates:
    """Limits of a good picture. Shares are of the picture's height, 0..1.

    Attributes:
        smallest, largest: width of the face.
        off_centre: distance of the face's middle from the picture's, sideways.
        other: width of a second face, as a share of the first, from which on there are several.
        turned: how far the middle between the eyes may be off the face's, as a share of its width.
        eyes: least distance between the eyes, as a share of the face's width.
        tilted: degrees of the line through the eyes.
        darkest, brightest: mean of the face's grey values, 0..255.
        contrast: least standard deviation of its grey values.
        sharpness: least variance of the second derivative of the face at 64 x 64 pixels, divided
            by the variance of its grey values: of that size, noise of the camera is averaged away.
    """

    smallest: float = 0.18
    largest: float = 0.75
    off_centre: float = 0.35
    other: float = 0.6
    turned: float = 0.09
    eyes: float = 0.34
    tilted: float = 15.0
    darkest: float = 60.0
    brightest: float = 205.0
    contrast: float = 18.0
    sharpness: float = 0.15


@dataclass(frozen=True)
class FaceMeasures:
    """What was measured on the largest face of a picture; units as `FaceGates`.

    Attributes:
        faces: widths of all faces, largest first; empty without any.
        profile: a face seen from the side, where none looks at the camera.
        both_eyes: both were found; `eyes_middle`, `eyes_apart` and `tilt` count only then.
    """

    faces: tuple[float, ...] = ()
    profile: bool = False
    off_centre: float = 0.0
    both_eyes: bool = False
    eyes_middle: float = 0.0
    eyes_apart: float = 0.0
    tilt: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0


def problem(measured: FaceMeasures, gates: FaceGates) -> FaceProblem | None:
    """The first thing that the person can mend; None when the picture is good."""
    if not measured.faces:
        return FaceProblem.TURNED if measured.profile else FaceProblem.NO_FACE
    width, *others = measured.faces
    apart = measured.both_eyes and measured.eyes_apart >= gates.eyes
    checks = (
        (FaceProblem.SEVERAL, bool(others) and others[0] >= gates.other * width),
        (FaceProblem.TOO_FAR, width < gates.smallest),
        (FaceProblem.TOO_NEAR, width > gates.largest),
        (FaceProblem.OFF_CENTRE, abs(measured.off_centre) > gates.off_centre),
        # Eyes are not found in the dark: said first, it would send people turning their heads.
        (FaceProblem.DARK, measured.brightness < gates.darkest),
        (FaceProblem.BRIGHT, measured.brightness > gates.brightest),
        (FaceProblem.TURNED, not apart or abs(measured.eyes_middle) > gates.turned),
        (FaceProblem.TILTED, abs(measured.tilt) > gates.tilted),
        (FaceProblem.FLAT, measured.contrast < gates.contrast),
        (FaceProblem.BLURRED, measured.sharpness < gates.sharpness),
    )
    return next((found for found, present in checks if present), None)
