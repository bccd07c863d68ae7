/** Every page of the portal, each in the states it has: what must fit, be readable and pass axe. `answers` are routes of the double that answer otherwise. */
export type PageCase = { path: string; answers?: Record<string, 'empty' | 'broken' | 'refused'> }

const FLIGHTS = '/p/operations/flights'
const ENCOUNTERS = '/p/clinical-care/encounters'

export const PAGES: readonly PageCase[] = [
  { path: '/' },
  { path: '/', answers: { 'GET /incidents': 'broken' } },
  { path: '/nowhere' },
  { path: '/products' },
  { path: '/new' },
  { path: '/requests' },
  { path: '/requests/53' },
  { path: '/requests/55' },
  { path: '/runs' },
  { path: '/runs/812' },
  { path: '/runs/815' },
  { path: '/runs/816' },
  { path: '/incidents' },
  { path: '/incidents?show=all' },
  { path: '/incidents', answers: { 'GET /incidents': 'empty' } },
  { path: '/incidents', answers: { 'GET /incidents': 'broken' } },
  { path: '/incidents/19' },
  { path: '/incidents/18' },
  { path: '/incidents/12' },
  { path: '/incidents/19', answers: { 'GET /incidents/19': 'broken' } },
  { path: ENCOUNTERS },
  { path: `${ENCOUNTERS}?tab=data` },
  { path: `${ENCOUNTERS}?tab=access` },
  { path: `${ENCOUNTERS}?tab=slos` },
  { path: `${ENCOUNTERS}?tab=releases` },
  { path: ENCOUNTERS, answers: { 'GET /products/clinical-care/encounters': 'refused' } },
  { path: FLIGHTS },
  { path: `${FLIGHTS}?tab=slos` },
  { path: '/p/fleet/planes?tab=slos' },
  { path: `${FLIGHTS}?tab=slos`, answers: { 'GET /products/operations/flights/slo': 'broken' } },
  { path: `${FLIGHTS}?tab=slos`, answers: { 'GET /products/operations/flights/slo': 'refused' } },
  { path: `${FLIGHTS}?tab=releases` },
  { path: `${FLIGHTS}?tab=releases&rollback=prod` },
  { path: '/p/fleet/planes?tab=releases&rollback=prod' },
  { path: `${FLIGHTS}?tab=releases&rollback=prod`, answers: { 'POST /products/operations/flights/rollback': 'broken' } },
  { path: `${FLIGHTS}?tab=releases`, answers: { 'GET /products/operations/flights/releases': 'broken' } },
  { path: `${FLIGHTS}?tab=runs` },
  { path: `${FLIGHTS}/retire` },
  { path: '/p/fleet/planes/retire' },
  { path: '/p/fleet/planes/retire', answers: { 'POST /requests': 'refused' } },
  { path: '/p/fleet/stations' },
  { path: '/p/fleet/stations', answers: { 'GET /products/fleet/stations/certificate': 'broken' } },
]

export function nameOf({ path, answers }: PageCase): string {
  const set = Object.entries(answers ?? {}).map(([route, answer]) => `${route} ${answer}`)
  return [path, ...set].join(', ')
}
