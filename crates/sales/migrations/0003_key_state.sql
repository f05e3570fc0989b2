-- In which way all stored keys were last made. Less than the release's own: `crm migrate` makes them anew.
create table sales.key_state (
    one_row boolean not null default true,
    version integer not null,

    constraint key_state_pkey primary key (one_row),
    constraint key_state_one_row check (one_row)
);
-- The schema is new: no row has older keys.
insert into sales.key_state (version) values (2);
alter table sales.key_state enable row level security;
alter table sales.key_state force row level security;
create policy key_state_owner on sales.key_state to current_user using (true);

-- Making keys anew crosses tenants, which nobody may. The owner may, while it says that this is what it does.
create policy products_keys on sales.products to current_user
    using (current_setting('crm.make_keys', true) = 'on');
