"""Posting through a business object: parameters and document out, an answer back.

SYSPRO: two documents with the same root go to one call, `ValidateOnly` asks for the checks without the effect, and
there is no key that makes a repeat harmless. A long address is refused by the platform before SYSPRO sees it: longer
documents go in by another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml_connector.systems.base import OutcomeUnknown, Transient
from ml_connector.systems.syspro.session import Enet, SessionEnded
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.writing.form import document, element, flags
from ml_connector.systems.syspro.writing.reply import Reply, reply

POST = "Transaction/Post"
SETUP_ADD = "Setup/Add"
SETUP_UPDATE = "Setup/Update"


@dataclass(frozen=True, slots=True)
class Posting:
    """One call of a business object."""

    about: str
    """What people call what is posted."""
    business_object: str
    root: str
    parameters: Mapping[str, str]
    """In the object's order, with ValidateOnly among them."""
    items: str
    """The document's elements, rendered."""
    operation: str = POST

    def texts(self, *, validate: bool) -> dict[str, str]:
        """The call's arguments besides the session."""
        given = {**self.parameters, "ValidateOnly": "Y" if validate else "N"}
        return {
            "BusinessObject": self.business_object,
            "XmlParameters": document(self.root, self.business_object, element("Parameters", flags(**given))),
            "XmlIn": document(self.root, f"{self.business_object}DOC", self.items),
        }


class Poster:
    """Posts under one operator's session."""

    def __init__(self, enet: Enet, options: Options) -> None:
        self._enet = enet
        self._options = options

    def post(self, posting: Posting, *, validate_first: bool) -> Reply:
        """The answer of a post that went well, after SYSPRO has checked it without effect where asked to.

        Raises Refused where SYSPRO names an error, OutcomeUnknown where the answer is lost or says nothing clear.
        """
        if validate_first:
            self.validate(posting)
        answer = reply(self._sent(posting, validate=False), posting.root, posting.about)
        failure = answer.failure(posting.about)
        if failure is not None:
            raise failure
        return answer

    def validate(self, posting: Posting) -> Reply:
        """SYSPRO's own checks, with no effect. A lost session is replaced and the question repeated once (R62).

        Raises Refused as `post` does, Transient where the answer is lost: nothing was posted.
        """
        try:
            try:
                text = self._sent(posting, validate=True)
            except SessionEnded as ended:
                if ended.then is not None:
                    raise ended.then from None
                text = self._sent(posting, validate=True)
            answer = reply(text, posting.root, posting.about)
        except OutcomeUnknown as lost:
            if lost.then is not None:
                raise lost.then from None
            raise Transient(
                f"SYSPRO gave no clear answer to the check of {posting.about}. Nothing was posted."
            ) from None
        failure = answer.failure(posting.about, wrote=False)
        if failure is not None:
            raise failure
        return answer

    def _sent(self, posting: Posting, *, validate: bool) -> str:
        texts = posting.texts(validate=validate)
        if self._enet.url_bytes(posting.operation, **texts) <= self._options.max_url_bytes:
            return self._enet.write(posting.operation, about=posting.about, **texts)
        return self._enet.write_large(posting.operation, about=posting.about, **texts)
