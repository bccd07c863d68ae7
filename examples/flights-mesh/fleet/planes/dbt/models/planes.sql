-- Ingested columns are text; the contract's types are made here.
select
    tailnum,
    year::integer as year,
    type,
    manufacturer,
    model,
    engines::integer as engines,
    seats::integer as seats,
    speed::integer as speed,
    engine
from {{ source('staging', 'planes') }}
