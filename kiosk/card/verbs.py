"""What the card shell understands: one method a verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apdu.commands import select_by_fid, select_by_name
from apdu.dictionary import Application, CardFile
from apdu.errors import AuthenticationFailed
from apdu.profile import shipped_keys, shipped_profiles
from apdu.status import Outcome, commands_of, meaning
from kiosk.card import raw, tree
from kiosk.card.atr import explain
from kiosk.card.dump import describe as describe_files
from kiosk.card.dump import tell_file
from kiosk.card.exits import CardExit
from kiosk.card.info import add_atr
from kiosk.card.pins import show_pin
from kiosk.card.showing import QUIET, columns, pairs, show, text
from kiosk.card.stored import WORDS, Look, State, looking, opened, rule_in_words, size_of
from kiosk.commands import CommandFailed, Exit, say

if TYPE_CHECKING:
    from apdu.card import SocialSecurityCard
    from kiosk.card.options import Wanted
    from kiosk.card.session import CardSession, Hand

_SSSE = "SSSE"


@dataclass(frozen=True)
class Verb:
    """One word of the shell.

    Attributes:
        usage: its arguments.
        zh, en: what it does.
        run: does it, and returns JSON values.
        least, most: numbers of arguments.
    """

    usage: str
    zh: str
    en: str
    run: Callable[[list[str]], Any]
    least: int = 0
    most: int = 0


class Verbs:
    """The verbs of one shell, and what they remember between two lines.

    Args:
        session: the card.
        call: how the shell was called.
        audit: leaves the trace that showing somebody in full needs; called before it is shown.
    """

    def __init__(self, session: CardSession, call: Wanted, audit: Callable[[], None]) -> None:
        self._session = session
        self._call = call
        self._audit = audit
        self._card: SocialSecurityCard | None = None
        self._raw: raw.RawCard | None = None
        self._pin_shown = False
        self._refused = False
        self._recording: Path | None = None
        self.application = _SSSE
        self.table: dict[str, Verb] = {
            "select": Verb("NAME|AID", "选择应用或文件", "application or file", self._select, 1, 1),
            "ls": Verb("", "当前应用的文件", "files of the application", self._ls),
            "cat": Verb("FILE [TAG]", "看文件或其一项", "a file, or one item", self._cat, 1, 2),
            "tree": Verb("", "整张卡的文件树", "all applications and files", self._tree),
            "apdu": Verb("HEX", "直接发送指令", "send a command as it is", self._apdu, 1, 99),
            "sw": Verb("HEX", "解释状态字", "explain a status word", self._sw, 1, 1),
            "atr": Verb("", "复位应答", "the answer to reset", self._atr),
            "auth": Verb("KEY", "用 PSAM 外部认证", "show a key of the PSAM", self._auth, 1, 1),
            "pin": Verb("", "验证密码", "show the PIN", self._pin),
            "reset": Verb("", "复位或重连", "reset, or connect again", self._reset),
            "trace": Verb("on|off", "逐条显示指令", "show each command", self._trace, 1, 1),
            "record": Verb("FILE|off", "脱敏记录", "keep a transcript", self._record, 1, 1),
        }  # fmt: skip

    def _step(self, do: Callable[[Hand], Any]) -> Any:
        self._session.renew()
        return self._session.step(do)

    def _opened(self) -> SocialSecurityCard:
        """The card for the verbs that know its files; opened anew after commands as bytes."""
        self._raw = None
        if self._refused:
            raise CommandFailed(
                CardExit.DAMAGED,
                "卡已拒绝过密钥，先 reset 再操作 the card refused our key; reset it first",
            )
        if self._card is None:
            card: SocialSecurityCard = self._step(opened)
            card.files.pin_shown = self._pin_shown
            self._card = card
        return self._card

    def _bytes(self) -> raw.RawCard:
        """The card for commands as bytes; what was selected before is not known to it."""
        self._card = None
        if self._raw is None:
            self._raw = self._step(lambda hand: raw.RawCard(hand.line, hand.trace))
        return self._raw

    def _select(self, words: list[str]) -> Any:
        name = words[0].upper()
        applications = shipped_profiles()["3"].applications
        if name in applications:
            command = select_by_name(applications[name].aid)
        elif len(name) == 4 and name.startswith("EF"):
            command = select_by_fid(int(_hex(name).hex(), 16))
        else:
            aid = _hex(name)
            command = select_by_fid(int.from_bytes(aid)) if len(aid) == 2 else _by_name(aid)
        done = self._send(bytes(command.encode()))
        good = done[-1].meaning.outcome in (Outcome.SUCCESS, Outcome.WARNING)
        if good and name in applications:
            self.application = name
        return self._told(done)

    def _apdu(self, words: list[str]) -> Any:
        return self._told(self._send(raw.parse("".join(words))))

    def _send(self, command: bytes) -> list[raw.Exchanged]:
        card = self._bytes()
        done: list[raw.Exchanged] = self._step(lambda _: card.send(command))
        return done

    def _told(self, done: list[raw.Exchanged]) -> Any:
        full = self._full()
        if not self._call.json:
            for each in done:
                raw.tell(each, full=full)
        return [raw.describe(each, full=full) for each in done]

    def _full(self) -> bool:
        if self._call.full:
            self._audit()
        return self._call.full

    def _ls(self, _: list[str]) -> Any:
        profile = self._opened().profile
        files = [each for each in profile.files.values() if each.application == self.application]
        if not self._call.json:
            rows = columns(4, 30, 6, 0)
            for each in files:
                size = size_of(each)
                rows.add_row(
                    text(f"{each.fid:04X}"),
                    text(f"{each.zh} {each.en}".strip()),
                    text("?" if size is None else size),
                    text(rule_in_words(each.read), QUIET),
                )
            show(rows)
        return [{"name": each.name, "zh": each.zh, "en": each.en} for each in files]

    def _file(self, name: str) -> CardFile:
        files = self._opened().profile.files
        found = files.get(name.upper()) or files.get(self.application + name.upper())
        if found is None:
            raise CommandFailed(Exit.USAGE, f"没有文件 no file {name}; ls, tree")
        return found

    def _cat(self, words: list[str]) -> Any:
        file = self._file(words[0])
        card = self._opened()
        found: Look = self._step(looking(card, file))
        if found.state is State.KEY_REFUSED:
            self._refused = True
        if found.state is not State.READ:
            raise CommandFailed(Exit.REFUSED, f"{file.name}: {WORDS[found.state]}")
        full = self._full()
        tag = words[1].upper() if len(words) == 2 else None
        if not self._call.json:
            tell_file(found, full=full, tag=tag)
        return describe_files(card.profile, [found], full=full, tag=tag)["files"][0]

    def _tree(self, _: list[str]) -> Any:
        profile = self._opened().profile
        if not self._call.json:
            show(tree.draw(profile, None, items=False))
        return tree.describe(profile, None)

    def _sw(self, words: list[str]) -> Any:
        value = _hex(words[0])
        if len(value) != 2:
            raise CommandFailed(Exit.USAGE, "状态字是四位十六进制 four hexadecimal digits: sw 6982")
        sw = int.from_bytes(value)
        found = {command: meaning(sw, command) for command in (*commands_of(sw), "")}
        for command, told in found.items():
            if not self._call.json:
                to = f"{command}: " if command else ""
                say(f"{sw:04X} {to}{told.staff_zh} {told.staff_en} ({told.name}, {told.mark})")
        meanings = [
            {"command": command, "meaning": told.name, "zh": told.staff_zh, "en": told.staff_en}
            for command, told in found.items()
        ]
        return {"sw": f"{sw:04X}", "meanings": meanings}

    def _atr(self, _: list[str]) -> Any:
        told = explain(self._step(lambda hand: hand.line.atr), full=self._full())
        if not self._call.json:
            rows = pairs()
            add_atr(rows, told)
            show(rows)
        return told

    def _auth(self, words: list[str]) -> Any:
        key = shipped_keys().get(words[0].upper())
        if key is None or key.key_id is None:
            raise CommandFailed(Exit.USAGE, f"没有密钥 no such key {words[0]}; auth <Tab>")
        card = self._opened()
        application = self._application_of(key.name, card.profile.applications)
        # Its keys are in force only while their application is selected.
        self._send(bytes(select_by_name(application.aid).encode()))
        card.authentication.forget()

        def authenticate(hand: Hand) -> None:
            try:
                card.authentication.authenticate(hand.custodian, key)
            except AuthenticationFailed:
                self._refused = True
                raise

        self._step(authenticate)
        self.application = application.name
        if not self._call.json:
            say(f"{key.name} 已认证 the card accepted it")
        return {"key": key.name, "accepted": True}

    def _application_of(self, key: str, applications: Any) -> Application:
        name = key.rpartition("_")[2]
        found: Application = applications.get(name, applications[_SSSE])
        return found

    def _pin(self, _: list[str]) -> Any:
        card = self._opened()
        self._session.renew()
        try:
            show_pin(self._session, card, self._call, keyboard=False)
        finally:
            self._pin_shown = card.files.pin_shown
        if not self._call.json:
            say("密码正确 the PIN is right")
        return {"verified": True}

    def _reset(self, _: list[str]) -> Any:
        try:
            self._step(lambda hand: hand.line.reset())
        except CommandFailed as failure:
            if failure.exit not in (CardExit.TORN, Exit.DEVICE):
                raise
            self._session.renew()
            self._session.reopen()
        self._card = self._raw = None
        self._pin_shown = self._refused = False
        self.application = _SSSE
        return self._atr([])

    def _trace(self, words: list[str]) -> Any:
        on = _on(words[0])
        self._session.trace(on)
        self._card = self._raw = None
        return {"trace": on}

    def _record(self, words: list[str]) -> Any:
        if words[0] == "off":
            self.stop_recording()
            return {"record": None}
        file = Path(words[0])
        if file.exists():
            raise CommandFailed(
                Exit.USAGE, f"文件已存在，请换名 {file} exists; choose another name"
            )
        self.stop_recording()
        self._card = self._raw = None
        self._step(lambda hand: hand.record())
        self._recording = file
        return {"record": str(file)}

    def stop_recording(self) -> None:
        """Keep the transcript that ``record`` began, if any. Raises CommandFailed."""
        file, self._recording = self._recording, None
        if file is not None:
            self._session.keep(file)


def _on(word: str) -> bool:
    if word not in ("on", "off"):
        raise CommandFailed(Exit.USAGE, "trace on | trace off")
    return word == "on"


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CommandFailed(Exit.USAGE, "不是十六进制 not hexadecimal") from None


def _by_name(aid: bytes) -> Any:
    try:
        return select_by_name(aid)
    except ValueError as problem:
        raise CommandFailed(Exit.USAGE, f"不是应用标识 no application name: {problem}") from None
