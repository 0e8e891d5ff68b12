"""The social security card (社会保障卡) of three generations (domain facts §1 to §4)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.application import (
    Application,
    Challenges,
    MultiApplicationCard,
    RandomSource,
)
from hw_sim.cards.authentication import Authentication
from hw_sim.cards.bank import ContactlessDirectory, DebitApplication, PaymentDirectory
from hw_sim.cards.bank_image import load_bank_image
from hw_sim.cards.ber import ber
from hw_sim.cards.contents import Piece
from hw_sim.cards.files import Files
from hw_sim.cards.image import Extra, Image, State
from hw_sim.cards.iso7816 import Answer, Command, Handler, SwError
from hw_sim.cards.keys import KeyName, card_key
from hw_sim.cards.layout import DirectoryLayout
from hw_sim.cards.memory import Memory
from hw_sim.cards.pin import Pin
from hw_sim.cards.pki import PkiApplication, PkiDirectory
from hw_sim.cards.protected import Lifecycle, ProtectedCommands
from hw_sim.cards.session import Session

MASTER_NAME = b"1PAY.SYS.DDF01"
MASTER_FID = 0x3F00


class MasterFile:
    """An MF that no bank owns: it has no file and no secret of its own.

    PIN and keys belong to the applications; a prober in the MF must not spend their tries.

    Args:
        name: empty where only its identifier selects it.
    """

    fid = MASTER_FID

    def __init__(self, files: Files, name: bytes = MASTER_NAME) -> None:
        self.aid = name
        secret = dict.fromkeys(((0x00, 0x20), (0x80, 0x5E), (0x00, 0x88), (0x00, 0x82)), _refuse)
        self.handlers: Mapping[tuple[int, int], Handler] = {**files.handlers, **secret}

    def select(self) -> bytes:
        if not self.aid:
            return ber("6F", b"")
        return ber("6F", ber("84", self.aid) + ber("A5", ber("88", b"\x01")))

    def drop_volatile_state(self) -> None:
        """It has none."""


class Directory:
    """The SSSE or a DF below it.

    Args:
        handlers: of the active application.
        handlers_while_blocked: what is still done once 应用锁定 has come.
        proprietary: what A5 of the FCI holds.
    """

    def __init__(
        self,
        layout: DirectoryLayout,
        session: Session,
        files: Files,
        lifecycle: Lifecycle,
        handlers: Mapping[tuple[int, int], Handler],
        handlers_while_blocked: Mapping[tuple[int, int], Handler],
        proprietary: bytes,
    ) -> None:
        self._layout = layout
        self._session = session
        self._files = files
        self._lifecycle = lifecycle
        every = (*handlers, *handlers_while_blocked)
        refused = dict.fromkeys(every, _refuse)
        self._handlers: Mapping[State, Mapping[tuple[int, int], Handler]] = {
            State.ACTIVE: {**refused, **handlers},
            State.BLOCKED: {**refused, **handlers_while_blocked},
            State.DEAD: dict.fromkeys(every, _refuse_for_good),
        }
        self._proprietary = proprietary

    @property
    def aid(self) -> bytes:
        return self._layout.aid

    @property
    def fid(self) -> int:
        return self._layout.fid

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return self._handlers[self._lifecycle.state]

    def select(self) -> bytes | Answer:
        """Ends the keys' authentications; the PIN check stays, it is the whole card's."""
        state = self._lifecycle.state
        if state is State.DEAD:
            raise SwError(iso.APPLICATION_DEAD)
        self._session.authenticated.clear()
        self._files.drop_selection()
        more = ber("A5", self._proprietary) if self._proprietary else b""
        information = ber("6F", ber("84", self.aid) + more)
        return information if state is State.ACTIVE else Answer(information, iso.INVALIDATED)

    def drop_volatile_state(self) -> None:
        self._session.end()
        self._files.drop_selection()


class SocialSecurityCard(MultiApplicationCard):
    """One card.

    Args:
        image: what it is.
        piece: the plastic and whose it is.
        session: what it thinks of PIN and keys.
        challenge_seed: the same challenges after each power-on, for benchmarks.
        random_bytes: source of the challenges without a seed; takes a length.
    """

    def __init__(
        self,
        image: Image,
        piece: Piece,
        *,
        session: Session | None = None,
        challenge_seed: int | None = None,
        random_bytes: RandomSource = secrets.token_bytes,
    ) -> None:
        memory, challenges = Memory(), Challenges(random_bytes, challenge_seed)
        self._session = session or Session()
        self.image = image
        self.piece = piece
        atr = image.atr(piece)
        super().__init__(
            atr,
            t0=image.strict_t0,
            memory=memory,
            challenges=challenges,
            master=self._master_of(memory),
        )
        self._region, self._factor = piece.card_id[:3].hex(), atr[-8:]
        self._pin = Pin(
            memory, self._session, tries=image.pin_tries, empty_verify=image.empty_verify
        )
        self._lifecycle = Lifecycle(memory)
        self._protected = ProtectedCommands(
            memory,
            challenges,
            self._session,
            self._pin,
            self._lifecycle,
            lambda: self._subkey("STK_SSSE"),
            image.algorithm,
            tries=image.mac_tries,
        )
        self._pin.issue(image.default_pin, image.pin_tries_left)
        self._lifecycle.issue(image.application_state, card_blocked=image.card_blocked)
        self._protected.issue()
        application, *below = image.directories
        social_security = self._directory(application)
        self.install(social_security)
        for layout in below:
            self.install(self._directory(layout), social_security)
        for extra in image.applications:
            self._add(extra)
        memory.commit()
        self.drop_volatile_state()

    @property
    def pin_tries(self) -> int:
        """Tries left before the PIN is locked."""
        return self._pin.tries.left

    def set_pin_tries(self, tries: int) -> None:
        """As if the PIN had been tried before; 0 is a locked PIN. Raises ValueError."""
        if not 0 <= tries <= self.image.pin_tries:
            raise ValueError(f"tries are 0..{self.image.pin_tries}")
        self._pin.tries.left = tries
        self.memory.commit()

    @property
    def challenge_seed(self) -> int | None:
        return self._challenges.seed

    @challenge_seed.setter
    def challenge_seed(self, seed: int | None) -> None:
        self._challenges.seed = seed

    def drop_volatile_state(self) -> None:
        super().drop_volatile_state()
        self._master_selected = False

    # --- how it is built -----------------------------------------------------------------------

    def _master_of(self, memory: Memory) -> Application:
        files = Files(memory, "MF", (), self.image, self._session.may)
        if Extra.BANK not in self.image.applications:
            return MasterFile(files)
        bank = load_bank_image(self.image.bank)
        return PaymentDirectory(bank, MASTER_FID) if bank.directory else MasterFile(files, b"")

    def _directory(self, layout: DirectoryLayout) -> Directory:
        image, memory, session = self.image, self.memory, self._session
        files = Files(memory, layout.name, layout.files, image, session.may)
        authentication = Authentication(
            memory,
            self._challenges,
            session,
            layout.name,
            layout.keys,
            self._subkey,
            image.algorithm,
            tries=image.key_tries,
        )
        files.issue(self.piece, image.marking)
        authentication.issue()
        handlers = {**files.handlers, **authentication.handlers, **self._pin.handlers}
        while_blocked: Mapping[tuple[int, int], Handler] = {}
        proprietary = b""
        if layout is image.directories[0]:
            handlers |= self._protected.handlers
            while_blocked = self._protected.handlers_while_blocked
            proprietary = self._directory_information()
        return Directory(
            layout, session, files, self._lifecycle, handlers, while_blocked, proprietary
        )

    def _directory_information(self) -> bytes:
        """SFI of the directory, and the algorithm's flag (domain facts §1.2, §1.4)."""
        information = ber("88", bytes([self.image.directory_sfi]))
        if self.image.algorithm_in_fci:
            flag = bytes.fromhex(self.image.algorithm.value)
            information += ber("9F0C", ber("86", flag))
        return information

    def _add(self, extra: Extra) -> None:
        match extra:
            case Extra.BANK:
                if self.piece.resident is None:
                    raise ValueError("a bank's card has a holder")
                bank = load_bank_image(self.image.bank)
                if bank.contactless:
                    self.install(ContactlessDirectory(bank))
                self.install(DebitApplication(bank, bank.account(self.piece.resident)))
            case Extra.PKI:
                directory = PkiDirectory(self.memory, self._challenges)
                self.install(directory)
                self.install(
                    PkiApplication(self.memory, self._challenges, directory, lambda: self.current),
                    directory,
                )

    def _subkey(self, name: KeyName) -> bytes:
        return card_key(name, self.image.algorithm, self._region, self._factor)

    # --- what it does otherwise than a plain card ----------------------------------------------

    def _answer(self, command: Command) -> bytes:
        if self._lifecycle.card_blocked:
            raise SwError(iso.NOT_SUPPORTED)
        return super()._answer(command)

    @property
    def _hidden(self) -> bool:
        return self.image.master_first and not self._master_selected

    def _enter(self, application: Application, *, tell: bool) -> bytes | Answer:
        if application.fid == MASTER_FID:
            self._master_selected = True
        elif application.fid == self.image.directories[0].fid and self._hidden:
            raise SwError(iso.FILE_NOT_FOUND)
        return super()._enter(application, tell=tell)


def _refuse(_: Command) -> bytes:
    raise SwError(iso.CONDITIONS)


def _refuse_for_good(_: Command) -> bytes:
    raise SwError(iso.APPLICATION_DEAD)
