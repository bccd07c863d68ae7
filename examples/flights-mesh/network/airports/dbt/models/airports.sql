select
    faa,
    name,
    lat as latitude,
    lon as longitude,
    alt as altitude_ft,
    tzone as time_zone
from {{ source('staging', 'airports') }}
