"""What the Tab key offers in the card shell: verbs, files, tags, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apdu.profile import shipped_keys, shipped_profiles


class Completer:
    """For `readline`.

    Args:
        application: tells the selected application.
        verbs: the first words.
    """

    def __init__(self, application: Callable[[], str], verbs: Sequence[str]) -> None:
        self._application = application
        self._verbs = verbs
        self._found: list[str] = []

    def complete(self, text: str, state: int) -> str | None:
        """See `readline.set_completer`."""
        if state == 0:
            import readline

            before = readline.get_line_buffer()[: readline.get_begidx()].split()
            self._found = self.offered(before, text)
        return self._found[state] if state < len(self._found) else None

    def offered(self, before: list[str], text: str) -> list[str]:
        """What may stand in the place of `text`, after the words `before` of the line."""
        words = _following(self._application(), *before) if before else self._verbs
        begun = text.casefold()
        return [f"{word} " for word in words if word.casefold().startswith(begun)]


def _following(application: str, verb: str, *words: str) -> Sequence[str]:
    """What may follow a verb and the words behind it. The newest generation has all names."""
    newest = shipped_profiles()["3"]
    here = [f"{file.fid:04X}" for file in newest.files.values() if file.application == application]
    match verb, words:
        case "cat", ():
            return [*here, *newest.files]
        case "cat", (name,):
            file = newest.files.get(name.upper()) or newest.files.get(application + name.upper())
            items = file.items if file is not None else ()
            return [f"{item.tag:02X}" for item in items if item.tag is not None]
        case "select", ():
            return [*newest.applications, *here]
        case "auth", ():
            return [key.name for key in shipped_keys().values() if key.key_id is not None]
        case "trace", ():
            return ["on", "off"]
        case "record", ():
            return ["off"]
        case _:
            return []
