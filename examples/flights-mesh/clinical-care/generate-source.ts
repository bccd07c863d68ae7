import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PATIENTS = 2_000
const ENCOUNTERS = 6_000
const FACILITIES = ['F01', 'F02', 'F03', 'F04', 'F05', 'F06', 'F07', 'F08'] as const
// Nobody is called that.
const FIRST = [
  'Testa',
  'Sampla',
  'Mocka',
  'Fixtura',
  'Demo',
  'Exempla',
  'Pseudo',
  'Ficta',
  'Dummo',
  'Synthia',
  'Protoya',
  'Stubbe',
]
const LAST = [
  'Placeholder',
  'Specimen',
  'Mustermensch',
  'Nonperson',
  'Testcase',
  'Fictive',
  'Loremipsum',
  'Samplerow',
  'Generated',
  'Notreal',
]
const KINDS = ['outpatient', 'outpatient', 'outpatient', 'emergency', 'inpatient'] as const
const DIAGNOSES = ['E11.9', 'I10', 'J06.9', 'J45.909', 'K21.9', 'M54.5', 'N39.0', 'R07.9', 'S93.401A', 'Z00.00']
const HOUR = 3_600_000
const DAY = 24 * HOUR
const FIRST_ADMISSION = Date.UTC(2025, 0, 1)

/**
 * Writes `patients.csv` (2,000 rows) and `encounters.csv` (6,000 rows) of invented people into the folder: always the same bytes. Null is the empty field.
 */
export async function generateClinicalSource(folder: string): Promise<void> {
  const random = seeded(20_250_101)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const patients: string[] = []
  const homes: string[] = []
  for (let i = 1; i <= PATIENTS; i++) {
    const facility = pick(FACILITIES)
    homes.push(facility)
    const born = new Date(Date.UTC(1930, 0, 1) + Math.floor(random() * 90 * 365.25) * DAY).toISOString().slice(0, 10)
    const name = `${pick(FIRST)} ${pick(LAST)} ${i}`
    patients.push(
      [
        `P${pad(i, 5)}`,
        `MRN-${pad(Math.floor(random() * 1e8), 8)}-${i}`,
        name,
        born,
        pick(['female', 'male', 'other']),
        facility,
      ].join(','),
    )
  }
  const encounters: string[] = []
  for (let i = 1; i <= ENCOUNTERS; i++) {
    const patient = Math.floor(random() * PATIENTS)
    // Four in five encounters are at home, so that filters by facility cut through patients.
    const facility = random() < 0.8 ? homes[patient]! : pick(FACILITIES)
    const kind = pick(KINDS)
    const admitted = FIRST_ADMISSION + Math.floor(random() * 365 * 24 * 4) * (HOUR / 4)
    const stay = kind === 'inpatient' ? DAY + Math.floor(random() * 9 * 24) * HOUR : HOUR + Math.floor(random() * 8) * (HOUR / 2)
    const discharged = random() < 0.02 ? '' : time(admitted + stay)
    const charge = (50 + random() * (kind === 'inpatient' ? 20_000 : 900)).toFixed(2)
    encounters.push(
      [`E${pad(i, 6)}`, `P${pad(patient + 1, 5)}`, facility, kind, time(admitted), discharged, pick(DIAGNOSES), charge].join(','),
    )
  }
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, 'patients.csv'), 'patient_id,mrn,name,birth_date,sex,facility_id', patients)
  await writeWhole(
    join(folder, 'encounters.csv'),
    'encounter_id,patient_id,facility_id,kind,admitted_at,discharged_at,diagnosis_code,charge',
    encounters,
  )
}

/** A reader sees the old file or the new one, never half of one. */
async function writeWhole(path: string, header: string, rows: string[]): Promise<void> {
  await writeFile(`${path}.new`, `${header}\n${rows.join('\n')}\n`)
  await rename(`${path}.new`, path)
}

function time(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z')
}

function pad(n: number, width: number): string {
  return String(n).padStart(width, '0')
}

/** mulberry32: the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
