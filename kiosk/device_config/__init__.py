"""The devices of a terminal's configuration: which there are and how they are reached.

One file a table of the configuration; each has the table's dataclass and the function that reads
it. A field configuration refuses what only a demonstration may do.
"""

from kiosk.device_config.camera import CameraConfig as CameraConfig
from kiosk.device_config.camera import CameraDriver as CameraDriver
from kiosk.device_config.camera import read_camera as read_camera
from kiosk.device_config.card import Address as Address
from kiosk.device_config.card import CardConfig as CardConfig
from kiosk.device_config.card import CardDriver as CardDriver
from kiosk.device_config.card import read_card as read_card
from kiosk.device_config.dispenser import DispenserConfig as DispenserConfig
from kiosk.device_config.dispenser import DispenserDriver as DispenserDriver
from kiosk.device_config.dispenser import read_dispenser as read_dispenser
from kiosk.device_config.id_reader import IdReaderConfig as IdReaderConfig
from kiosk.device_config.id_reader import IdReaderDriver as IdReaderDriver
from kiosk.device_config.id_reader import read_id_reader as read_id_reader
from kiosk.device_config.pad import PadConfig as PadConfig
from kiosk.device_config.pad import PadDriver as PadDriver
from kiosk.device_config.pad import read_pad as read_pad
from kiosk.device_config.printer import PrinterConfig as PrinterConfig
from kiosk.device_config.printer import PrinterDriver as PrinterDriver
from kiosk.device_config.printer import read_printer as read_printer
from kiosk.device_config.receipt import Encoding as Encoding
from kiosk.device_config.receipt import PaperWidth as PaperWidth
from kiosk.device_config.receipt import ReceiptConfig as ReceiptConfig
from kiosk.device_config.receipt import ReceiptDriver as ReceiptDriver
from kiosk.device_config.receipt import read_receipt as read_receipt
from kiosk.device_config.scanner import ScannerConfig as ScannerConfig
from kiosk.device_config.scanner import ScannerDriver as ScannerDriver
from kiosk.device_config.scanner import read_scanner as read_scanner
from kiosk.device_config.sensors import SensorLines as SensorLines
from kiosk.device_config.sensors import SensorsConfig as SensorsConfig
from kiosk.device_config.sensors import SensorsDriver as SensorsDriver
from kiosk.device_config.sensors import read_sensors as read_sensors
