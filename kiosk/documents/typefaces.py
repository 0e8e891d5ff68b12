"""The fonts of a certificate: the committed ones, and a full one of the machine for rare names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FAMILY = "Yikatong Sans"
"""Regular and Bold: GB 2312 and the signs used (ui/fonts/build.py)."""
STYLES = ("YikatongSans-Regular.otf", "YikatongSans-Bold.otf")


@dataclass(frozen=True)
class RareFont:
    """A full font that the machine may have.

    Attributes:
        face: index of its Simplified Chinese face.
        family: that face's family name.
    """

    path: Path
    face: int
    family: str


_NOTO = "NotoSansCJK-Regular.ttc"
_SHARE = Path("/usr/share/fonts")
RARE_FONTS = (
    RareFont(_SHARE / "opentype/noto" / _NOTO, 2, "Noto Sans CJK SC"),
    RareFont(_SHARE / "noto-cjk" / _NOTO, 2, "Noto Sans CJK SC"),
    RareFont(_SHARE / "google-noto-cjk" / _NOTO, 2, "Noto Sans CJK SC"),
    RareFont(_SHARE / "truetype/wqy/wqy-zenhei.ttc", 0, "WenQuanYi Zen Hei"),
)
"""Where to look, best first (Debian, Arch, Fedora; then WenQuanYi)."""
