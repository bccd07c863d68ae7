select carrier, name
from {{ source('staging', 'airlines') }}
