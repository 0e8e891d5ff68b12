"""How ``yikatong card`` ends: exit codes of its own, and what went wrong in one line."""

from __future__ import annotations

from enum import IntEnum

from kiosk.commands import CommandFailed, Exit


class CardExit(IntEnum):
    """Exit codes of ``card`` beside the common ones."""

    NO_CARD = 10
    UNKNOWN_CARD = 11
    MUTE = 12
    TORN = 13
    DAMAGED = 14
    BLOCKED = 15
    PIN_WRONG = 16
    PIN_BLOCKED = 17
    NOT_ASKED = 18
    TRANSCRIPT = 19


EPILOG = """退出码 exit codes:
   0  完成 done                 1  卡或结果不对 a copy, or a call that failed
   5  没有读卡器或服务 no reader or no smart card service
  10  没有卡 no card           11  不是社会保障卡 no social security card
  12  卡无应答 mute card       13  读取中被拔出 pulled while reading
  14  数据损坏 damaged card     7  无权显示完整信息 --full not allowed here
  15  卡或应用已锁定 locked    16  密码错误 wrong PIN
  17  密码已锁定 PIN blocked   18  不能免费查询 cannot be asked without cost
  19  记录不可用 transcript unusable, or it does not fit
 130  被中断 interrupted
"""


def explained(error: Exception) -> Exception:
    """What a card or its reader did wrong, as the end of the command; any other error itself."""
    from apdu import errors as card
    from apdu.pin import IllegalPin
    from apdu.recording.replay import ReplayError
    from apdu.recording.transcript import TranscriptError
    from kiosk.logs import describe

    match error:
        case card.CardAbsent():
            return CommandFailed(
                CardExit.NO_CARD, "读卡器里没有卡，请插卡 no card in the reader; put one in"
            )
        case card.CardRemoved():
            return CommandFailed(
                CardExit.TORN,
                "读取过程中卡被拔出，请重新插卡 the card was pulled while reading; put it in again",
            )
        case card.CardMute():
            return CommandFailed(
                CardExit.MUTE,
                "卡片没有应答，请翻面或擦净芯片后重试 "
                "the card does not answer; turn it over, or clean the chip",
            )
        case card.UnknownCard():
            return CommandFailed(
                CardExit.UNKNOWN_CARD,
                "不是社会保障卡 not a social security card; "
                "card info 显示卡里有什么 shows what it is",
            )
        case card.ReaderGone():
            return CommandFailed(
                Exit.DEVICE,
                "没有可用的读卡器，请检查连线和 pcscd no reader, or no smart card service",
            )
        case card.ReaderBusy():
            return CommandFailed(
                Exit.DEVICE,
                "读卡器被其他程序占用，请先关闭它 another program holds the reader; close it first",
            )
        case card.CardReset():
            return CommandFailed(
                Exit.DEVICE,
                "卡被其他程序复位，请重试 another program reset the card; try again",
            )
        case card.ApplicationBlocked():
            return CommandFailed(
                CardExit.BLOCKED,
                "卡或应用已锁定，请到柜台办理 the card or its application is locked",
            )
        case card.PinRejected(tries_left=left):
            return CommandFailed(
                CardExit.PIN_WRONG, f"密码错误，还可试 {left} 次 wrong PIN, {left} tries left"
            )
        case card.PinBlocked():
            return CommandFailed(
                CardExit.PIN_BLOCKED,
                "密码已锁定，请到柜台重置 the PIN is blocked; the counter can reset it",
            )
        case card.PinNeeded():
            return CommandFailed(
                Exit.REFUSED, "需先验证密码 the card wants the PIN first (card shell: pin)"
            )
        case card.AccessNever():
            return CommandFailed(Exit.REFUSED, "该文件不开放读取 nobody may read this file")
        case card.PsamUnavailable():
            return CommandFailed(
                Exit.DEVICE, "没有可用的 PSAM 或其中无此密钥 no PSAM, or it lacks the key"
            )
        case card.AuthenticationFailed():
            return CommandFailed(
                CardExit.DAMAGED,
                "卡拒绝了密钥，请勿重试 the card refused our key; do not repeat it",
            )
        case IllegalPin():
            return CommandFailed(
                Exit.USAGE, f"密码应为数字且长度合规，卡未收到 not sent to the card: {error}"
            )
        case ReplayError() | TranscriptError():
            return CommandFailed(CardExit.TRANSCRIPT, f"记录与读卡过程不符 transcript: {error}")
        case card.CardError():
            return CommandFailed(
                CardExit.DAMAGED,
                f"卡片数据异常 the card's answers make no sense（{describe(error)}）",
            )
        case _:
            return error
