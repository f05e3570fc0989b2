"""What a program does with a client that openapi-python-client has made: create, list, page, patch, export."""

import json
import os
import uuid

from client import AuthenticatedClient
from client.api.account_service import (
    account_service_create_account as create,
    account_service_export_accounts as export,
    account_service_get_account as get,
    account_service_list_accounts as list_accounts,
    account_service_update_account as update,
)
from client.api.contact_service import contact_service_create_contact as create_contact
from client.models import AccountInput, AccountPatch, ContactInput, GoogleRpcStatus, MoneyInput

here = AuthenticatedClient(base_url=os.environ["CRM_URL"], token=os.environ["CRM_TOKEN"])

owner = f"client-{uuid.uuid4()}"
revenue = MoneyInput(currency_code="EUR", units="12", nanos=500_000_000)
wanted = [AccountInput(name=f"Client {n}", owner=owner, employees=n, annual_revenue=revenue) for n in range(5)]
made = [create.sync(client=here, body=body, request_id=uuid.uuid4()) for body in wanted]
assert [one.name for one in made] == [one.name for one in wanted], made
assert made[0].annual_revenue.units == "12"

found, token = [], ""
while True:
    page = list_accounts.sync(client=here, filter_=f'owner = "{owner}"', page_size=2, page_token=token)
    assert len(page.accounts) <= 2
    found += page.accounts
    token = page.next_page_token
    if not token:
        break
assert [one.id for one in found] == [one.id for one in made], found

changed = update.sync(made[0].id, client=here, body=AccountPatch(country="France", annual_revenue=None))
assert changed.country == "France" and changed.owner == owner, changed
assert not changed.annual_revenue and changed.etag != made[0].etag
assert get.sync(made[0].id, client=here) == changed
stale = update.sync(made[0].id, client=here, body=AccountPatch(country="Spain", etag=made[0].etag))
assert isinstance(stale, GoogleRpcStatus) and stale.code == 10, stale

ada = create_contact.sync(
    client=here,
    body=ContactInput(account_id=made[0].id, family_name="Love", emails=["ada@acme.example"]),
    request_id=uuid.uuid4(),
)
assert ada.emails == ["ada@acme.example"], ada

lines = export.sync_detailed(client=here, filter_=f'owner = "{owner}"').content.decode().splitlines()
assert sorted(json.loads(line)["id"] for line in lines) == sorted(str(one.id) for one in made), lines
