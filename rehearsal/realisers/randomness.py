"""Random values that a program keeps in its state: made here, as the provider does, for AWS has no part in them."""

import base64
import secrets

from rehearsal.realisers.realiser import Made, Realiser
from rehearsal.realisers.tools import Tools
from rehearsal.state import Deployed, Properties


def _create(_: Tools, __: str, inputs: Properties) -> Made:
    value = secrets.token_bytes(inputs["byteLength"])
    prefix = inputs.get("prefix") or ""
    url_safe = base64.urlsafe_b64encode(value).decode().rstrip("=")
    outputs = {
        "hex": prefix + value.hex(),
        "dec": f"{prefix}{int.from_bytes(value)}",
        "b64Url": prefix + url_safe,
        "b64Std": prefix + base64.b64encode(value).decode(),
    }
    return Made(id=url_safe, outputs=outputs)


def _replace(tools: Tools, _: Deployed, inputs: Properties) -> Made:
    """Every input of it replaces the value: that is what keepers are for."""
    return _create(tools, "", inputs)


_INPUTS = frozenset({"byteLength", "prefix", "keepers"})

RANDOMNESS: dict[str, Realiser] = {
    "random:index/randomId:RandomId": Realiser(
        create=_create, update=_replace, properties=_INPUTS, updatable=_INPUTS, removable=_INPUTS
    ),
}
