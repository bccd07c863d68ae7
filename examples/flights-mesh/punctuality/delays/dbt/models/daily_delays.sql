with weather as (
    select
        origin,
        local_date,
        sum(precipitation_mm) as precipitation_mm,
        min(visibility_km) as worst_visibility_km
    from {{ source('hourly', 'observations') }}
    group by origin, local_date
),

flights as (
    select
        flight_date,
        origin,
        carrier,
        count(*) as flights,
        count(*) filter (where is_cancelled) as cancelled,
        count(*) filter (where dep_delay_min > 15) as late,
        round(avg(dep_delay_min), 1) as mean_delay_min
    from {{ source('flights', 'flights') }}
    group by flight_date, origin, carrier
)

select
    flights.flight_date,
    flights.origin,
    flights.carrier,
    airlines.name as airline,
    flights.flights,
    flights.cancelled,
    flights.late,
    flights.mean_delay_min,
    weather.precipitation_mm,
    weather.worst_visibility_km
from flights
left join {{ source('airports', 'airlines') }} as airlines on airlines.carrier = flights.carrier
left join weather on weather.origin = flights.origin and weather.local_date = flights.flight_date
