-- A test fails when it gives rows.
select flight_date, origin, carrier
from {{ ref('daily_delays') }}
group by flight_date, origin, carrier
having count(*) > 1
