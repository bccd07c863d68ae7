-- A test fails when it gives rows.
select encounter_id
from {{ ref('encounter') }}
where discharged_at < admitted_at
