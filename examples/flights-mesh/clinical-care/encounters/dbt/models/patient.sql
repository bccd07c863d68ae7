select
    patient_id,
    mrn,
    name,
    birth_date::date as birth_date,
    sex,
    facility_id
from {{ source('staging', 'patients') }}
