-- Open opportunities that nobody works on.
create index opportunities_next_step_date_idx on sales.opportunities (tenant_id, next_step_date, id)
    where state = 'open' and delete_time is null and next_step_date <> '';
comment on index sales.opportunities_next_step_date_idx is 'Open opportunities by the date of their next step.';
create index opportunities_open_stage_time_idx on sales.opportunities (tenant_id, stage_time, id)
    where state = 'open' and delete_time is null;
comment on index sales.opportunities_open_stage_time_idx is 'Open opportunities by the time at which they came to their stage.';
