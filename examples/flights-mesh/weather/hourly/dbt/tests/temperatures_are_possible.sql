-- A test fails when it gives rows.
select origin, observed_at
from {{ ref('observations') }}
where temperature_c not between -60 and 60
