select
    encounter_id,
    patient_id,
    facility_id,
    kind,
    admitted_at::timestamptz as admitted_at,
    discharged_at::timestamptz as discharged_at,
    diagnosis_code,
    charge::numeric as charge
from {{ source('staging', 'encounters') }}
