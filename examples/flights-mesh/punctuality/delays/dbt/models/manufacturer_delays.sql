select
    planes.manufacturer,
    count(distinct planes.tailnum) as aircraft,
    count(*) as flights,
    round(avg(flights.dep_delay_min), 1) as mean_delay_min
from {{ source('flights', 'flights') }} as flights
inner join {{ source('planes', 'planes') }} as planes on planes.tailnum = flights.tailnum
where not flights.is_cancelled
group by planes.manufacturer
