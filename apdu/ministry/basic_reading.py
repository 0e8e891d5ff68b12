"""读基本信息: what is on the card's face, in eleven fields."""

from __future__ import annotations

import hmac
from datetime import date

from apdu.holder import Holder
from apdu.ministry.address import check_length, check_value
from apdu.ministry.desk import Desk, OpenCard
from apdu.ministry.error_numbers import Number, Refusal
from apdu.ministry.hsm_steps import HsmResult, Nobody, Steps, fields, in_hex


def read_basics(desk: Desk, kind: str) -> str:
    """iReadCardBas: the card proves itself and is read, with the terminal's own keys.

    Returns:
        eleven fields, each followed by ``|`` (mark A): 发卡地区行政区划代码, 社会保障号码, 卡号,
        卡识别码, 姓名, 卡复位信息, 规范版本, 发卡日期, 卡有效期, 终端机编号, 终端设备号.

    Raises:
        Refusal: NOT_GENUINE; BAD_PARAMETER; CARD_ID_FORMAT.
        CardError: see `apdu.errors`.
    """
    with desk.open(kind) as opened:
        opened.check_consistent()
        if not opened.card.prove_genuine(desk.custodian):
            raise Refusal(Number.NOT_GENUINE)
        holder = opened.card.holder(desk.custodian)
        return _eleven_fields(desk, opened, holder, desk.number_of_terminal())


def read_basics_by_hsm(desk: Desk, kind: str) -> Steps:
    """iReadCardBas_HSM_Step1 and 2. Only cards whose holder file wants a key are asked for their
    challenges and compared with the HSM (mark A); of all others nothing is proven.

    The first step's nine fields (mark A): region, 卡复位信息, algorithm, 卡识别码, internal factor,
    internal original, external factor, external original, 终端设备号. The second takes
    ``R1|R2|``: what the card has to have answered, and what opens its holder file.

    Raises:
        Refusal: DIFFERS_FROM_HSM; NOT_GENUINE; ILLEGAL_INPUT; as `read_basics`.
        CardError: see `apdu.errors`.
    """
    with desk.open(kind) as opened:
        opened.check_consistent()
        card, key = opened.card, opened.card.profile.holder_key
        if key is None:
            (results,) = yield _nine_fields(desk, opened, b"", b"", b"", b"")
            check_length(results)
        else:
            session = card.authentication
            internal = session.challenges()
            proof = session.proof(internal.factor, internal.original)
            if proof is None:
                raise Refusal(Number.NOT_GENUINE)
            external = session.challenges()
            (results,) = yield _nine_fields(
                desk, opened, internal.factor, internal.original, external.factor, external.original
            )
            expected, opening = _two_results(results)
            if not hmac.compare_digest(proof, expected.result):
                raise Refusal(Number.DIFFERS_FROM_HSM)
            session.present(key, opening.result, opening.original)
        number = desk.conventions.number_without_psam
        return _eleven_fields(desk, opened, card.holder(Nobody()), number)


def _two_results(text: str) -> tuple[HsmResult, HsmResult]:
    check_length(text)
    first, separator, second = text.partition("|")
    if not separator:
        raise Refusal(Number.ILLEGAL_INPUT)
    return HsmResult.parse(first), HsmResult.parse(second)


def _nine_fields(desk: Desk, opened: OpenCard, *challenges: bytes) -> str:
    issuer, card = opened.issuer(), opened.card
    return fields(
        issuer.region,
        in_hex(card.atr.historical),
        card.algorithm.value,
        in_hex(issuer.card_id),
        *(in_hex(challenge) for challenge in challenges),
        desk.terminal.reader_serial,
    )


def _eleven_fields(desk: Desk, opened: OpenCard, holder: Holder, terminal_number: str) -> str:
    issuer = opened.issuer()
    values = (
        issuer.region,
        holder.social_security_number,
        issuer.card_number,
        in_hex(issuer.card_id),
        holder.name,
        in_hex(opened.card.atr.historical),
        issuer.version,
        _day(issuer.issued),
        _day(issuer.expires),
        terminal_number,
        desk.terminal.reader_serial,
    )
    # A name with a separator in it would put its own fields in the place of others.
    return fields(*(check_value(value) for value in values))


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.year:04}{day.month:02}{day.day:02}"
