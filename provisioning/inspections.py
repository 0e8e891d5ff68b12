"""What ``yikatong doctor`` looks at: `INSPECTIONS` and `TITLES` list them all."""

from __future__ import annotations

from drivers.device import DeviceKind
from provisioning.checks import boxes, devices, files, line, printing, screen, software, waiting
from provisioning.findings import Inspection, Words

_BOXES = (
    DeviceKind.ID_READER,
    DeviceKind.CAMERA,
    DeviceKind.DISPENSER,
    DeviceKind.RECEIPT,
    DeviceKind.SENSORS,
)

INSPECTIONS: tuple[Inspection, ...] = (
    Inspection(("python", "libraries", "sm2"), 8, software.visit),
    Inspection(("config", "pack"), 8, files.visit_config),
    Inspection(("state", "disk", "keys", "tamper-lock"), 8, files.visit_state),
    Inspection(("pcsc", "contact-reader", "psam", "vpcd"), 10, devices.visit_readers),
    Inspection(("pad",), 8, devices.visit_pad),
    Inspection(("scanner",), 8, printing.visit_scanner),
    Inspection(("printer",), 10, printing.visit_printer),
    *(Inspection((kind.value,), 14, boxes.visit(kind)) for kind in _BOXES),
    Inspection(("queue",), 8, waiting.visit_queue),
    Inspection(("platform", "clock"), 10, line.visit),
    Inspection(("fonts",), 8, screen.visit_fonts),
    Inspection(("screen",), 10, screen.visit_screen),
    Inspection(("core-dumps", "memory-lock", "locale"), 4, software.visit_process),
)
"""All of them run at once: the longest deadline is the whole time, under 15 s."""

TITLES: dict[str, Words] = {
    "python": Words("运行环境", "Python"),
    "libraries": Words("程序库", "libraries"),
    "sm2": Words("国密算法", "SM2"),
    "config": Words("终端配置", "configuration"),
    "pack": Words("数据包", "data pack"),
    "state": Words("状态目录", "state directory"),
    "disk": Words("磁盘空间", "disk space"),
    "keys": Words("终端密钥", "keys"),
    "tamper-lock": Words("防拆锁定", "tamper lock"),
    "pcsc": Words("读卡服务", "smart card service"),
    "contact-reader": Words("社保卡读卡器", "card reader"),
    "psam": Words("PSAM 卡", "PSAM"),
    "vpcd": Words("虚拟读卡器驱动", "virtual reader driver"),
    "pad": Words("密码键盘", "PIN pad"),
    "scanner": Words("扫码器", "code scanner"),
    "printer": Words("证明打印机", "document printer"),
    "id-reader": Words("身份证阅读器", "ID reader"),
    "camera": Words("摄像头", "camera"),
    "dispenser": Words("发卡机", "card dispenser"),
    "receipt": Words("凭条打印机", "receipt printer"),
    "sensors": Words("传感器和指示灯", "sensors and lights"),
    "queue": Words("离线队列", "offline queue"),
    "platform": Words("省级平台", "platform"),
    "clock": Words("时钟", "clock"),
    "fonts": Words("字体", "fonts"),
    "screen": Words("屏幕", "screen"),
    "core-dumps": Words("核心转储", "core dumps"),
    "memory-lock": Words("内存锁定", "memory lock"),
    "locale": Words("语言和时区", "locale and time zone"),
}
"""What each check is called."""
