select
    concat_ws('-', carrier, flight, origin, to_char(make_date(year::integer, month::integer, day::integer), 'YYYYMMDD'), sched_dep_time) as flight_key,
    make_date(year::integer, month::integer, day::integer) as flight_date,
    time_hour as scheduled_hour,
    carrier,
    flight,
    tailnum,
    origin,
    dest,
    dep_delay as dep_delay_min,
    arr_delay as arr_delay_min,
    dep_time is null as is_cancelled,
    distance as distance_mi
from {{ source('staging', 'flights') }}
