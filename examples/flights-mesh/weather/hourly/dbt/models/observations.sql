-- The source measures in Fahrenheit, inches and miles.
select
    origin,
    time_hour as observed_at,
    make_date(year::integer, month::integer, day::integer) as local_date,
    round((temp - 32) * 5 / 9, 1) as temperature_c,
    round(humid, 1) as humidity,
    round(wind_speed * 1.609344, 1) as wind_speed_kmh,
    round(precip * 25.4, 1) as precipitation_mm,
    round(visib * 1.609344, 1) as visibility_km
from {{ source('staging', 'weather') }}
