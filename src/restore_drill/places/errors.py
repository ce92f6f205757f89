"""Errors of buckets in words: by the code in their answer, whose text may hold secrets."""

from __future__ import annotations

import re
from typing import NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

CODE = re.compile(r"<Code>(\w{1,60})</Code>|\(code: (\w{1,60})\)\n")
"""As the server writes it, and as the library does, of what was deleted."""
STATUS = re.compile(r"status code: ([345]\d\d)\b")
REGION = re.compile(r"<Region>([a-z0-9-]{4,30})</Region>")
"""The bucket's own, in the answer to a request that was meant for another one."""
NAMED = re.compile(r'Path "(.*?)"(?::| contained)', re.DOTALL)
"""The object whose name the library does not take: with `..`, or with nothing between slashes."""
REDIRECT = "redirect without LOCATION"
"""What the library says of an answer that names another region: it reads no more of it."""
PASSING = ("408", "409", "425", "429")
"""Answers that a client's mistake does not get."""
CAUSES = {
    "NoSuchBucket": ("there is no such bucket", "bucket"),
    "NoSuchKey": ("there is no such object", "object"),
    "InvalidAccessKeyId": ("the access key is unknown there", "key"),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", "key"),
    "AccessDenied": ("the key may not do this", "rights"),
    "ExpiredToken": ("the session token has expired", "expired"),
    "InvalidToken": ("the session token is not accepted", "expired"),
    "TokenRefreshRequired": ("the session token has expired", "expired"),
    "RequestTimeTooSkewed": ("the clock of this machine is wrong", "clock"),
    "InvalidObjectState": (
        ("the object lies in an archive tier and must be restored from it first"),
        "tier",
    ),
    "PermanentRedirect": ("the bucket lies in another region", "region"),
    "AuthorizationHeaderMalformed": ("the bucket lies in another region", "region"),
    "IllegalLocationConstraintException": ("the bucket lies in another region", "region"),
    # Azure
    "ContainerNotFound": ("there is no such container", "bucket"),
    "ContainerBeingDeleted": ("there is no such container", "bucket"),
    "BlobNotFound": ("there is no such object", "object"),
    "AuthenticationFailed": ("the credentials are not accepted", "key"),
    "AuthorizationFailure": ("the credentials are not accepted", "key"),
    "InvalidAuthenticationInfo": ("the credentials are not accepted", "key"),
    "NoAuthenticationInformation": ("no credentials for it were found", "no_key"),
    "PublicAccessNotPermitted": ("no credentials for it were found", "no_key"),
    "AuthorizationPermissionMismatch": ("the credentials do not allow this", "rights"),
    "AuthorizationResourceTypeMismatch": ("the credentials do not allow this", "rights"),
    "AuthorizationServiceMismatch": ("the credentials do not allow this", "rights"),
    "InsufficientAccountPermissions": ("the credentials do not allow this", "rights"),
    "BlobArchived": (
        ("the object lies in an archive tier and must be restored from it first"),
        "tier",
    ),
    "BlobBeingRehydrated": ("the object is still being brought back from an archive tier", "tier"),
}
OWN = {
    "gs": (
        "gs_bucket", "gs_object", "gs_key", "gs_no_key", "gs_rights", "gs_write", "gs_delete",
        "gs_expired", "gs_tier", "gs_silent",
    ),
    "az": (
        "az_bucket", "az_object", "az_key", "az_no_key", "az_rights", "az_write", "az_delete",
        "az_expired", "az_tier", "az_silent",
    ),
}  # fmt: skip
"""Causes whose remedies are others than those of S3, by the scheme of the URL."""
TOO_LATE = "Signature not valid in the specified time frame"
"""What Azure says of a shared access signature that has expired."""
OF_MACHINE = "http://169.254.169.254/"
"""Who is asked for the identity of a machine, where no other credentials were found."""
KINDS = {
    "PreconditionError": ("it changed while it was being fetched", "changed"),
    "NotModifiedError": ("it changed while it was being fetched", "changed"),
    "NotFoundError": ("there is no such bucket or object", "object"),
    "UnauthenticatedError": ("the credentials are not accepted", "key"),
    "PermissionDeniedError": ("the key may not do this", "rights"),
    "InvalidPathError": ("the name of an object in it is not one that can be read", "name"),
}


class NotAllowed(CouldNotRun):
    """The key may not do this; of an object, also where none is there and the key may not list."""


class Doing(NamedTuple):
    """What is done to an object, as a participle; `rights` is the remedy where it is forbidden."""

    what: str
    rights: str


READ, WRITE, DELETE = Doing("read", "rights"), Doing("written", "write"), Doing("deleted", "delete")
NETWORK = ("the place does not answer as it should", "network")


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed a moment later."""
    if type(error).__name__ in KINDS or code_of(error) in CAUSES:
        return False
    status = status_of(error)
    if status.startswith("4") and status not in PASSING:
        return False
    return not lacks_credentials(error)


def lacks_credentials(error: Exception) -> bool:
    """Whether none were found: not even the machine has any."""
    text = str(error)
    return "credential" in text.lower() or OF_MACHINE in text


def code_of(error: Exception) -> str:
    """The code in an answer of S3, empty without one."""
    found = CODE.search(str(error))
    if found is None and REDIRECT in str(error):
        return "PermanentRedirect"
    return found[1] or found[2] if found else ""


def status_of(error: Exception) -> str:
    """The status of an answer by HTTP, empty where none came."""
    found = STATUS.search(str(error))
    return found[1] if found else ""


def what_failed(error: Exception, url: str, bucket: str, doing: Doing = READ) -> CouldNotRun:
    """The error that a request for `url` ended with."""
    code = code_of(error)
    what, cause = CAUSES.get(code) or KINDS.get(type(error).__name__) or NETWORK
    if TOO_LATE in str(error):
        what, cause = "the shared access signature has expired", "expired"
    elif not code and lacks_credentials(error):
        what, cause = "no credentials for it were found", "no_key"
    elif not code and "token request" in str(error) and status_of(error).startswith("4"):
        what, cause = "the credentials are not accepted", "key"
    elif found := NAMED.search(str(error)) if cause == "name" else None:
        what = f"{what}: {found[1]!r}"
    answer = code or status_of(error)
    if not answer and (what, cause) == NETWORK:
        what, cause = "no answer came", "silent"
    remedy = remedy_of(url, doing.rights if cause == "rights" else cause)
    if region := REGION.search(str(error)):
        remedy = remedy_for("place", "region_is", region=region[1])
    kind = NotAllowed if cause == "rights" else CouldNotRun
    return kind(
        f"{url} cannot be {doing.what}: {what}",
        checked=[f"{called(url)} {bucket}; answer: {answer or 'none'}"],
        remedy=remedy,
    )


def remedy_of(url: str, cause: str) -> list[str]:
    """Steps for the `cause` of a failure at `url`, in the words of its ecosystem."""
    scheme = url.partition("://")[0]
    own = f"{scheme}_{cause}"
    return remedy_for("places", own if own in OWN.get(scheme, ()) else cause)


def called(url: str) -> str:
    """What the ecosystem of `url` calls a bucket."""
    return "container" if url.startswith("az://") else "bucket"


def unusable(error: Exception, url: str, bucket: str) -> CouldNotRun:
    """What is configured for `url` is no credentials: nothing was asked."""
    return CouldNotRun(
        f"{url} cannot be read: no usable credentials are set for it",
        checked=[f"{called(url)} {bucket}; no request was sent ({type(error).__name__})"],
        remedy=remedy_of(url, "no_key"),
    )


def no_url(url: str) -> CouldNotRun:
    """The endpoint for `url` is none; it is not shown, since it may hold a password."""
    return CouldNotRun(
        f"{url} cannot be read: the endpoint that is set for it is no URL",
        checked=["no request was sent"],
        remedy=remedy_for("places", "endpoint"),
    )


def changed(url: str) -> CouldNotRun:
    """Another version is there than the one that was listed."""
    return CouldNotRun(
        f"{url} cannot be read: it changed while it was being fetched",
        remedy=remedy_for("places", "changed"),
    )
