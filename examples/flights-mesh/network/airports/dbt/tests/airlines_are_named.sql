-- A test fails when it gives rows.
select carrier
from {{ ref('airlines') }}
where trim(name) = ''
