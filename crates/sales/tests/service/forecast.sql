with it as (
    select left(close_date, 7) as month, owner, owner_key, state, coalesce(value_currency, '') as currency,
        coalesce(value_minor, 0)::numeric as value, coalesce(probability, (
            select (stage ->> 'probability')::integer from sales.pipelines,
                jsonb_array_elements(stages::jsonb -> 'all') as stage
            where pipelines.id = pipeline_id and (stage ->> 'id')::uuid = stage_id
        )) as probability
    from sales.opportunities where delete_time is null and state <> 'lost'
), whose as (
    select owner as name, owner_key from it where not $2 union select '*', owner_key from it
    union select coalesce(team.name, ''), it.owner_key from it
        left join (sales.sales_team_members as member join sales.sales_teams as team on team.id = member.team_id)
        on member.member_key = it.owner_key where $2
), counts as (
    select month, name, count(*) filter (where state = 'won') as won, count(*) filter (where state = 'open') as open
    from it join whose using (owner_key) group by 1, 2
), wanted as (
    select month, case when sales_team_id is null then owner else
        (select name from sales.sales_teams as team where team.id = sales_team_id) end as name,
        amount_currency as currency, amount_minor as value
    from sales.targets where delete_time is null and (sales_team_id is not null) = $2
), piece as (
    select month, name, currency, 'won' as kind, value from it join whose using (owner_key) where state = 'won'
    union all select month, name, currency, 'likely', value from it join whose using (owner_key)
        where state = 'open' and probability >= 80
    union all select month, name, currency, 'weighted', value * probability / 100 from it join whose using (owner_key)
        where state = 'open'
    union all select month, name, currency, 'target', value from wanted
    union all select month, '*', currency, 'target', value from wanted
), sums as (
    select month, name, currency, kind, sum(value) as value, case when currency = 'EUR' then 1 else (
        select rate_trillionths / 1000000000000.0 * case currency when 'JPY' then 100 else 1 end
        from sales.exchange_rates where quote_currency = 'EUR' and base_currency = currency and delete_time is null
            and start_date <= case when kind in ('won', 'target') and month <> '' then
                least(((month || '-01')::date + interval '1 month - 1 day')::date::text, $1) else $1 end
        order by start_date desc limit 1
    ) end as rate
    from piece where currency <> '' group by month, name, currency, kind
), judged as (
    select *, bool_or(value <> 0 and rate is null) over (partition by month, name, currency) as missing from sums
), converted as (
    select month, name,
        round(coalesce(sum(value * rate) filter (where kind = 'won' and not missing and value <> 0), 0)) as won,
        round(coalesce(sum(value * rate) filter (where kind in ('won', 'likely') and not missing and value <> 0), 0))
            as committed,
        round(coalesce(sum(value * rate) filter (where kind in ('won', 'weighted') and not missing and value <> 0), 0))
            as weighted,
        round(sum(value * coalesce(rate, 0)) filter (where kind = 'target' and not missing)) as target,
        coalesce(string_agg(distinct currency, ',') filter (where missing), '') as missing
    from judged group by 1, 2
)
select format('%s|%s|%s %s|%s %s %s|%s|%s|%s', month, name, coalesce(counts.won, 0), coalesce(counts.open, 0),
    coalesce(converted.won, 0), coalesce(committed, 0), coalesce(weighted, 0), coalesce(target::text, '-'),
    coalesce((target - converted.won)::text, '-'), coalesce(missing, ''))
from counts full join converted using (month, name) where month = any($3)
union all
select format('%s|%s|%s: %s %s %s %s', month, name, currency, coalesce(sum(value) filter (where kind = 'won'), 0),
    coalesce(sum(value) filter (where kind in ('won', 'likely')), 0),
    round(coalesce(sum(value) filter (where kind in ('won', 'weighted')), 0)),
    coalesce((sum(value) filter (where kind = 'target'))::text, '-'))
from sums where month = any($3) group by month, name, currency
