"""The ministry's call interface (社会保障卡读写接口); begin with `calls`."""
