"""The hall's camera (摄像头): what is held before it, the light, and its plug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press
from hw_sim.hall.questions import Question, Questions, choice, text

if TYPE_CHECKING:
    # OpenCV takes a while to load: only the hall itself needs it, and only once it opens.
    from hw_sim.camera.device import CameraDevice
    from hw_sim.camera.scene import HeldCode

_SIGHT = ("hall", "dark")
_FACE = "face"
_DEMO_CODE = "SSC1" + "x" * 40
"""What the dock's button holds up: the form of an e-card, and nobody's."""
_HOSTILE = "hostile"
_HOSTILE_CODE = (
    "javascript:alert(1)//\x1b]0;owned\x07\x1b[2J\r\n';DROP TABLE rows;--%s%n../../etc/passwd\x00"
    + "A" * 2_800
)


class CameraDesk(PluggedDesk["CameraDevice"]):
    """`hw_sim.hall.desk.Desk` of the camera."""

    name = "camera"
    title = "摄像头 · camera"
    verbs: Sequence[Verb] = (
        Verb(
            "camera-code",
            "hold a QR code before the camera",
            (
                Word("text", f"what it says, or {_HOSTILE}"),
                Word("second", "what a second code beside it says", option=True),
                Word("size", "pixels of its edge, 60 to 700", option=True),
                Word("turn", "degrees it is turned by", option=True),
                Word("lean", "percent that its far edge is shorter", option=True),
                Word("blur", "of the lens, in tenths of a pixel", option=True),
            ),
        ),
        Verb(
            "camera-picture",
            "hold a picture before the camera",
            (Word("image", f"its file, or {_FACE}"),),
        ),
        Verb("camera-sees", "take all that away", (Word("sight", "what it sees then", _SIGHT),)),
        Verb("camera", "plug the camera in or out", (PLUG,)),
    )
    faults = (
        "N:drop, N:delay=MS, N:half, N:garbage, N:empty, N:boundary, N:dark, N:slow=MS,\n"
        "N:stall, N:close, N:unplug, N:power-cycle; N counts pictures"
    )

    def __init__(self) -> None:
        self.questions: Questions = {
            "camera-code": self._code,
            "camera-picture": self._picture,
            "camera-sees": self._sees,
            "camera": self.switch,
        }

    def open(self, run: Path, state: Path) -> Answer:
        """Plug it in; it keeps nothing in `run` nor in `state`."""
        from hw_sim.camera.device import CameraDevice

        self._device = CameraDevice()
        self._device.plug()
        return {"camera_url": self._device.url}

    def status(self) -> Answer:
        """How it stands."""
        device = self.device
        return {
            "plugged": device.plugged,
            "watchers": device.watchers,
            "shows": device.shows,
            "dark": device.covered,
            "pictures": device.pictures_sent,
            "illegal": list(device.illegal),
        }

    def presses(self, status: Answer) -> Sequence[Press]:
        """What is held up, the light, and its plug."""
        on, dark = bool(status["plugged"]), bool(status["dark"])
        return (
            Press("举起人脸", "camera-picture", {"image": _FACE}, enabled=on),
            Press("出示二维码", "camera-code", {"text": _DEMO_CODE}, enabled=on),
            Press("出示两个码", "camera-code", {"text": _DEMO_CODE, "second": "2"}, enabled=on),
            Press("恶意码", "camera-code", {"text": _HOSTILE, "size": "700"}, enabled=on),
            Press("无人", "camera-sees", {"sight": "hall"}, enabled=on),
            Press(
                "开灯" if dark else "遮住镜头",
                "camera-sees",
                {"sight": _SIGHT[not dark]},
                chosen=dark,
                wrong=dark,
                enabled=on,
            ),
            Press("画面停住", "fault", {"where": self.name, "what": "1:stall"}, enabled=on),
            plug_press("camera", status),
        )

    def facts(self, status: Answer) -> Sequence[Fact]:
        """Whether anybody looks, and what is before it."""
        if not status["plugged"]:
            return (Fact("已拔出 · unplugged", good=False),)
        looks = "有程序在看 · watched" if status["watchers"] else "无程序在看 · not watched"
        return (
            Fact(looks),
            *((Fact("镜头被遮 · dark", good=False),) if status["dark"] else ()),
            *((Fact("面前有物 · something shown"),) if status["shows"] else ()),
            *(Fact(str(each), good=False) for each in status["illegal"][-1:]),
        )

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        """The terminal's ``[camera]``."""
        return {"camera": {"driver": "opencv", "source": announced["camera_url"]}}

    # --- what people do --------------------------------------------------------------------------

    def _code(self, question: Question) -> Answer:
        from dataclasses import replace

        codes = [_code(question, text(question, "text"))]
        if "second" in question:
            second = _code(question, text(question, "second"))
            codes = [replace(codes[0], across=0.27), replace(second, across=0.73)]
        try:
            self._plugged().show(*codes)
        except ValueError as error:
            raise Refused(str(error)) from None
        return {"bytes": [len(each.payload) for each in codes]}

    def _picture(self, question: Question) -> Answer:
        from importlib import resources

        import cv2
        import numpy as np

        from hw_sim.camera.scene import HeldPicture

        name = text(question, "image")
        try:
            if name == _FACE:
                data = resources.files("hw_sim").joinpath("pictures", "face.jpg").read_bytes()
            else:
                data = Path(name).read_bytes()
        except OSError:
            raise Refused(f"there is no file {name} that can be read") from None
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if image is None:
            raise Refused(f"{name} is no picture that can be read")
        self._plugged().show(HeldPicture(image.astype(np.uint8)))
        return {"rows": image.shape[0], "columns": image.shape[1]}

    def _sees(self, question: Question) -> Answer:
        device = self._plugged()
        if choice(question, "sight", " ".join(_SIGHT)) == "hall":
            device.clear()
        else:
            device.cover()
        return {}

    def _plugged(self) -> CameraDevice:
        device = self.device
        if not device.plugged:
            raise Refused("the camera is unplugged")
        return device


def _code(question: Question, says: str) -> HeldCode:
    from hw_sim.camera.scene import HeldCode

    return HeldCode(
        (_HOSTILE_CODE if says == _HOSTILE else says).encode(),
        size=_number(question, "size", 60, 700, 320),
        turn=_number(question, "turn", 0, 359, 0),
        lean=_number(question, "lean", 0, 90, 0) / 100,
        blur=_number(question, "blur", 0, 100, 0) / 10,
    )


def _number(question: Question, name: str, least: int, most: int, otherwise: int) -> int:
    """A whole number that was typed.

    Raises:
        Refused: it is none, or out of range.
    """
    if name not in question:
        return otherwise
    typed = str(question[name])
    if not typed.isdecimal() or not least <= int(typed) <= most:
        raise Refused(f"{name} is a whole number, {least} to {most}")
    return int(typed)
