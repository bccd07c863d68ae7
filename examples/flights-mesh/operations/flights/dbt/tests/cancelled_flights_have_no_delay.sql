-- A test fails when it gives rows.
select flight_key
from {{ ref('flights') }}
where is_cancelled and (dep_delay_min is not null or arr_delay_min is not null)
