"""What makes a request right beyond its schema: states, references and rules that join two values.

Schemathesis writes requests from the schema alone. Of those that are meant to be right, the parts below are put right
here; those that are meant to be wrong are left as they are, but for what no server could refuse.
"""

import os
import uuid

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

FAILED_PRECONDITION = 9

ACCOUNT = os.environ["CRM_ACCOUNT"]


def is_right(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def filter_case(ctx, case):
    # Headers that a server does not know are none of its business (RFC 9110, 5.1).
    return not any(name.lower().startswith("x-schemathesis-unknown") for name in case.headers or {})


@schemathesis.hook
def before_call(ctx, case, kwargs):
    headers, query, body = case.headers, case.query or {}, case.body
    if headers and "requestId" not in query:
        # It would stand in for what is left out to be wrong.
        headers.pop("Idempotency-Key", None)
    if is_right(case):
        clean(body)
        agree(headers or {}, query, body)
        refer(case, query, body)
        if "requestId" in query:
            # One id, one request.
            request = repr((body, query.get("refuseDuplicates")))
            query["requestId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, request))


def clean(body):
    """Texts must have no character that does not show. The schema says so by a pattern that the generator cannot follow:
    it drops it, and writes texts that are wrong, though meant to be right. What is left of them without these characters
    is sent, or another text if that is nothing."""
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, str) and not value.isprintable():
            body[name] = "".join(letter for letter in value if letter.isprintable()) or "Given"


def agree(headers, query, body):
    """Values that say the same thing must be the same."""
    headers.pop("Idempotency-Key", None)
    for name in ("If-Match", "If-None-Match"):
        if not headers.get(name):
            # The coverage phase leaves a header empty where its pattern allows no such thing.
            headers.pop(name, None)
    if query.get("etag") or (isinstance(body, dict) and body.get("etag")):
        headers.pop("If-Match", None)
    if isinstance(body, dict) and isinstance(body.get("annualRevenue"), dict):
        # Whole minor units: none is a whole number of any.
        body["annualRevenue"]["nanos"] = 0


def refer(case, query, body):
    """What a value names must be there."""
    if "pageToken" in query:
        query["pageToken"] = ""
    if "cursor" in query:
        query["cursor"] = ""
    if "resources" in query:
        query["resources"] = ["products" if "sales" in case.path else "accounts"]
    if "filter" in query:
        query["filter"] = 'owner = "ada"'
    if "updateMask" in query:
        # A field that is named and not given is cleared, and some must not be.
        query["updateMask"] = ""
    if not isinstance(body, dict):
        return
    if "filter" in body:
        body["filter"] = 'owner = "ada"'
    if "requestId" in body:
        # As in a query.
        body["requestId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, repr(sorted(body.items()))))
    if "attributes" in body:
        # Of those that are defined: nobody defines any here.
        body["attributes"] = {}
    is_change = case.method.upper() == "PATCH"
    if body.get("parentId"):
        # Nobody is one's own ancestor.
        body["parentId"] = "" if is_change else ACCOUNT
    if "tagIds" in body:
        body["tagIds"] = []
    if "accountId" in body:
        body["accountId"] = ACCOUNT
        if is_change:
            # A contact stays where it is.
            del body["accountId"]
    if case.path in ("/v1/contacts", "/v1/contacts/{id}"):
        # One of two names is required.
        body["familyName"] = "Love"


@schemathesis.hook
def filter_failure(ctx, failure, case, response):
    """A right request may meet a state in which it cannot be done, such as a deletion of what has subsidiaries."""
    is_refused = isinstance(failure, RejectedPositiveData) and response.status_code == 400
    return not (is_refused and response.json().get("code") == FAILED_PRECONDITION)
