"""The user's own NASA Earthdata login, as a bearer token."""

from __future__ import annotations

import importlib
import logging
import netrc
import os
import re
from pathlib import Path
from typing import Any

from schemas.errors import BadInput

TOKEN_VARIABLE = "EARTHDATA_TOKEN"
NAME_VARIABLE, PASSWORD_VARIABLE = "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD"
LOGIN_HOST = "urs.earthdata.nasa.gov"
LOGIN_REMEDY = (
    f"register at https://{LOGIN_HOST}, make a token there and set {TOKEN_VARIABLE} to it, or install "
    f"'glacier-archive[earthdata]' and keep name and password in ~/.netrc or in {NAME_VARIABLE} and "
    f"{PASSWORD_VARIABLE}; or name an open server with --mirror"
)
_WHERE = "Earthdata login"
_TOKEN = re.compile(r"[\x21-\x7e]+")


def stated_token() -> str:
    """The token of the variable ``EARTHDATA_TOKEN``; '' where there is none. No server is asked.

    Errors
    ------
    BadInput : characters that no token has; it is not repeated in the message.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token and not _TOKEN.fullmatch(token):
        raise BadInput(
            f"variable {TOKEN_VARIABLE}", "spaces or characters beyond ASCII", "a token", "copy it once more"
        )
    return token


def earthdata_token() -> str:
    """A token: the stated one, or one that ``earthaccess`` gets for a name and password; '' without any of them.

    Name and password are those of ``EARTHDATA_USERNAME`` and ``EARTHDATA_PASSWORD``, or of the ``.netrc`` file (the
    variable ``NETRC`` names another). The library is imported only when they are there and no token is.

    Errors
    ------
    BadInput : name and password without the library, or refused, or the login server cannot be reached.
    """
    if token := stated_token():
        return token
    strategy = _strategy()
    if not strategy:
        return ""
    try:
        earthaccess: Any = importlib.import_module("earthaccess")
    except ImportError:
        raise BadInput(
            _WHERE,
            "a name and password, and not the library that gets a token for them",
            "earthaccess",
            f"pip install 'glacier-archive[earthdata]', or set {TOKEN_VARIABLE}",
        ) from None
    token = _log_in(earthaccess, strategy)
    if not _TOKEN.fullmatch(token):
        raise BadInput(_WHERE, "no token in the answer", "a token", f"make one there and set {TOKEN_VARIABLE}")
    return token


def _log_in(earthaccess: Any, strategy: str) -> str:
    logging.getLogger("earthaccess").setLevel(logging.CRITICAL)  # what it would log is said below
    try:
        # not `earthaccess.login`, which also opens sessions with the data servers
        auth = earthaccess.Auth().login(strategy=strategy)
    except earthaccess.exceptions.LoginAttemptFailure:
        remedy = f"correct {NAME_VARIABLE} and {PASSWORD_VARIABLE}, or ~/.netrc"
        raise BadInput(_WHERE, "name and password refused", f"those of https://{LOGIN_HOST}", remedy) from None
    except earthaccess.exceptions.LoginStrategyUnavailable as error:
        raise BadInput(_WHERE, str(error), "name and password", LOGIN_REMEDY) from None
    except OSError:  # as which its HTTP library reports everything about a connection
        raise BadInput(
            _WHERE, "no connection", f"an answer of {LOGIN_HOST}", f"try later, or set {TOKEN_VARIABLE}"
        ) from None
    return str((auth.token or {}).get("access_token", ""))


def _strategy() -> str:
    """Where name and password are, in the words of ``earthaccess``; '' where they are nowhere."""
    if os.environ.get(NAME_VARIABLE) and os.environ.get(PASSWORD_VARIABLE):
        return "environment"
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        return "netrc" if LOGIN_HOST in netrc.netrc(path).hosts else ""
    except FileNotFoundError:
        return ""
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:
        reason = error.msg if isinstance(error, netrc.NetrcParseError) else type(error).__name__
        raise BadInput(str(path), f"no netrc file ({reason})", "lines of machine, login, password") from None
