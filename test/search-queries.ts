import type { SearchField, SearchSubject } from '../src/catalog/search-terms.ts'

/** A catalog whose names get in each other's way, and what must be found in it: the ranking contract, asked of the pure part and of PostgreSQL. */
type Sketch = {
  address: string
  title: string
  about?: string
  tags?: string[]
  docs?: string
  /** port → object → columns, a column as `name` or `name: description` */
  ports: Record<string, Record<string, string[]>>
}

const SKETCHES: Sketch[] = [
  {
    address: 'fleet/planes',
    title: 'Aircraft register',
    about: 'Every aircraft that flew, by its tail number.',
    tags: ['aviation', 'master-data'],
    ports: { planes: { planes: ['tailnum: Number painted on the tail', 'manufacturer', 'model', 'seats'] } },
  },
  {
    address: 'fleet/planes-maintenance',
    title: 'Maintenance of planes',
    about: 'Work orders of the hangars.',
    ports: { work: { work_orders: ['order_id', 'tailnum', 'opened_on', 'closed_on'] } },
  },
  {
    address: 'operations/flights',
    title: 'Flights',
    about: 'Departures from New York, one row for each flight.',
    tags: ['aviation', 'new york'],
    ports: { flights: { flights: ['flight_key', 'flight_date', 'carrier', 'tailnum', 'dep_delay_min', 'arr_delay_min'] } },
  },
  {
    address: 'punctuality/delays',
    title: 'Delays',
    about: 'Punctuality for whoever plans or explains.',
    tags: ['punctuality'],
    ports: {
      delays: {
        daily_delays: ['flight_date', 'origin', 'airline: Name of the airline', 'late', 'mean_delay_min'],
        manufacturer_delays: ['manufacturer', 'aircraft', 'mean_delay_min'],
      },
    },
  },
  {
    address: 'network/airports',
    title: 'Airports and airlines',
    about: 'Reference data of the network.',
    docs: 'Ask the harbour desk about seaplanes.',
    ports: { airports: { airports: ['faa', 'name', 'latitude', 'time_zone'], airlines: ['carrier', 'name'] } },
  },
  {
    address: 'weather/hourly',
    title: 'Hourly weather',
    about: 'Observations at the airports.',
    ports: { hourly: { observations: ['origin', 'observed_at', 'temperature_c', 'visibility_km'] } },
  },
  {
    address: 'sales/orders',
    title: 'Orders',
    about: 'What was ordered and by whom.',
    tags: ['orders'],
    ports: { orders: { orders: ['order_id', 'customer_id', 'ordered_at'], order_items: ['order_id', 'line_no', 'amount'] } },
  },
  {
    address: 'sales/customers',
    title: 'Kunden & Customers',
    about: 'Kundenstamm: who buys. Includes the churn_score.',
    tags: ['pii', '100%'],
    ports: { customers: { customer: ['customer_id', 'name', 'e_mail', 'straße', 'churn_score'] } },
  },
  {
    address: 'finance/revenue',
    title: 'Revenue by order',
    about: 'Recognised revenue.',
    ports: {
      revenue: { revenue: ['order_id', 'recognised_on', 'amount_eur'] },
      'revenue-daily': { per_day: ['day', 'amount_eur'] },
    },
  },
  {
    address: 'marketing/orders-forecast',
    title: 'Forecast <b>of</b> demand',
    about: 'A model that guesses next month; 50% of it is_a guess.',
    ports: { forecast: { forecast: ['month', 'expected_orders', 'lower_bound', 'upper_bound'] } },
  },
  {
    address: 'clinical-care/encounters',
    title: 'Encounters',
    about: 'Stays of patients.',
    tags: ['pii'],
    ports: {
      encounters: { encounter: ['encounter_id', 'patient_id', 'admitted_at', 'diagnosis_code'], patient: ['patient_id', 'mrn'] },
    },
  },
  { address: 'clinical-care/draft-beds', title: 'Beds', about: 'Not served yet.', ports: {} },
]

/** The entries as the deploys would have written them. */
export const SUBJECTS: SearchSubject[] = SKETCHES.map(({ address, title, about, tags, docs, ports }) => {
  const [domain, name] = address.split('/')
  return {
    domain: domain!,
    name: name!,
    title,
    metadata: docs === undefined ? {} : { notes: { desk: docs } },
    document: {
      title,
      tags: tags ?? [],
      description: { purpose: about ?? '', limitations: null, usage: null },
      ports: Object.entries(ports).map(([port, objects]) => ({
        port,
        major: 1,
        title: port,
        objects: Object.entries(objects).map(([object, columns]) => ({
          name: object,
          description: null,
          columns: columns.map((column) => {
            const [text, description] = column.split(': ')
            return { name: text, tags: [], description: description ?? null }
          }),
        })),
      })),
    },
  }
})

/** `first`: in this order at the top; `not`: nowhere; `field`, `at`: what the first one was hit by. */
export type SearchQuery = {
  q: string
  why: string
  first: string[]
  only?: true
  not?: string[]
  field?: SearchField
  at?: string
}

const PLANES = 'fleet/planes'
const UPKEEP = 'fleet/planes-maintenance'
const FLIGHTS = 'operations/flights'
const DELAYS = 'punctuality/delays'
const AIRPORTS = 'network/airports'
const HOURLY = 'weather/hourly'
const ORDERS = 'sales/orders'
const CUSTOMERS = 'sales/customers'
const REVENUE = 'finance/revenue'
const FORECAST = 'marketing/orders-forecast'
const CARE = 'clinical-care/encounters'
const BEDS = 'clinical-care/draft-beds'

export const QUERIES: SearchQuery[] = [
  // exact address
  { q: 'fleet/planes', why: 'an address before the one it begins', first: [PLANES, UPKEEP], field: 'address', at: PLANES },
  { q: 'fleet.planes', why: 'with a dot', first: [PLANES], field: 'address' },
  { q: 'FLEET/PLANES', why: 'in capitals', first: [PLANES] },
  { q: '  fleet/planes ', why: 'with blanks around', first: [PLANES] },
  { q: '/fleet/planes/', why: 'with slashes around', first: [PLANES] },
  { q: 'fleet / planes', why: 'with blanks inside', first: [PLANES] },
  { q: 'fleet/planes@prod', why: 'with its environment', first: [PLANES] },
  { q: 'fleet/planes@v1', why: 'with its major', first: [PLANES] },
  { q: '"fleet"."planes"', why: 'as SQL quotes it', first: [PLANES] },
  { q: 'fleet/planes-maintenance', why: 'the longer one', first: [UPKEEP], only: true },
  { q: 'fleet/planes_maintenance', why: 'a hyphen as it is in SQL', first: [UPKEEP], only: true },
  { q: 'fleet/planes/planes', why: 'a port', first: [PLANES], only: true, field: 'address', at: 'fleet/planes/planes' },
  {
    q: 'punctuality/delays/delays.daily_delays',
    why: 'an object',
    first: [DELAYS],
    only: true,
    at: 'punctuality/delays/delays.daily_delays',
  },
  {
    q: 'punctuality/delays/delays.daily_delays.late',
    why: 'a whole column pasted',
    first: [DELAYS],
    only: true,
    field: 'address',
    at: 'punctuality/delays/delays.daily_delays.late',
  },
  {
    q: 'punctuality.delays.delays.daily_delays.late',
    why: 'a column with dots throughout',
    first: [DELAYS],
    only: true,
    at: 'punctuality/delays/delays.daily_delays.late',
  },
  { q: 'punctuality.delays.delays.daily_delays.la', why: 'a column not finished', first: [DELAYS], only: true, field: 'address' },
  { q: 'punctuality_delays_delays_v1.daily_delays', why: 'the relation in SQL', first: [DELAYS], only: true, field: 'address' },
  { q: '"punctuality_delays_delays_v1"."daily_delays"', why: 'the relation quoted', first: [DELAYS], only: true },
  { q: 'clinical_care_encounters_encounters_v1', why: 'the served schema', first: [CARE], only: true },
  // exact name
  { q: 'planes', why: 'exact name before the prefix and the title', first: [PLANES, UPKEEP], only: true, field: 'name' },
  { q: 'Planes', why: 'a name in capitals', first: [PLANES, UPKEEP] },
  { q: 'orders', why: 'name, then names of others, then the middle', first: [ORDERS, FORECAST, UPKEEP], field: 'name' },
  { q: 'delays', why: 'name and title both', first: [DELAYS], not: [PLANES], field: 'name' },
  { q: 'flights', why: 'name, then the word in another form', first: [FLIGHTS] },
  { q: 'daily_delays', why: 'an object by its name', first: [DELAYS], only: true, field: 'object' },
  { q: 'daily delays', why: 'an object with a blank', first: [DELAYS], only: true, field: 'object' },
  { q: 'daily-delays', why: 'an object with a hyphen', first: [DELAYS], only: true, field: 'object' },
  { q: 'order_items', why: 'an object', first: [ORDERS], only: true, field: 'object', at: 'sales/orders/orders.order_items' },
  { q: 'revenue-daily', why: 'a port', first: [REVENUE], only: true, field: 'port' },
  { q: 'airlines', why: 'an object before a title', first: [AIRPORTS], field: 'object' },
  { q: 'planes-maintenance', why: 'name with a hyphen', first: [UPKEEP], only: true, field: 'name' },
  { q: 'planes maintenance', why: 'name with a blank', first: [UPKEEP], field: 'name' },
  { q: 'delays.daily_delays', why: 'the end of an address', first: [DELAYS], only: true, field: 'address' },
  { q: 'daily_delays.late', why: 'object and column', first: [DELAYS], only: true, field: 'address' },
  { q: 'planes.tailnum', why: 'object and column', first: [PLANES], field: 'address', at: 'fleet/planes/planes.planes.tailnum' },
  { q: 'planes.tail', why: 'object and the beginning of a column', first: [PLANES], field: 'address' },
  // prefix
  { q: 'pla', why: 'beginnings of names by address', first: [PLANES, UPKEEP], field: 'name' },
  { q: 'plane', why: 'one letter missing', first: [PLANES, UPKEEP] },
  { q: 'ord', why: 'prefix of a name before that of a column', first: [FORECAST, ORDERS, REVENUE, UPKEEP], field: 'name' },
  { q: 'fleet', why: 'a domain', first: [PLANES, UPKEEP], only: true, field: 'address' },
  { q: 'fleet/', why: 'a domain with a slash', first: [PLANES, UPKEEP], only: true },
  { q: 'fleet/pl', why: 'an address not finished', first: [PLANES, UPKEEP], only: true },
  { q: 'clinical', why: 'a domain not finished', first: [BEDS, CARE], only: true },
  { q: 'clinical care', why: 'a domain with a blank', first: [BEDS, CARE], only: true },
  { q: 'manufacturer_d', why: 'an object not finished', first: [DELAYS], only: true, field: 'object' },
  { q: 'e', why: 'one letter: names first', first: [CARE], field: 'name' },
  // title
  { q: 'aircraft register', why: 'a whole title', first: [PLANES], only: true, field: 'title' },
  { q: 'aircraft', why: 'a title before a column of that very name', first: [PLANES, DELAYS], field: 'title' },
  { q: 'register', why: 'a later word of a title', first: [PLANES], only: true, field: 'title' },
  { q: 'kunden', why: 'a title in another language', first: [CUSTOMERS], field: 'title' },
  { q: 'Hourly weather', why: 'a title', first: [HOURLY], only: true, field: 'title' },
  { q: 'weather', why: 'a domain, then a title', first: [HOURLY], only: true },
  { q: 'beds', why: 'a draft by its title', first: [BEDS], field: 'title' },
  { q: '<b>of</b>', why: 'markup is text', first: [FORECAST], only: true, field: 'title' },
  // column
  { q: 'tailnum', why: 'a column of three, by address', first: [PLANES, UPKEEP, FLIGHTS], only: true, field: 'column' },
  { q: 'manufacturer', why: 'an object that begins so before a column of that name', first: [DELAYS, PLANES], only: true },
  { q: 'order_id', why: 'a column before the beginning of another', first: [REVENUE, UPKEEP, ORDERS], field: 'column' },
  { q: 'flight_date', why: 'a column', first: [FLIGHTS, DELAYS], only: true, field: 'column' },
  { q: 'flight date', why: 'a column with a blank', first: [FLIGHTS, DELAYS], field: 'column' },
  { q: 'amount', why: 'a column before one that begins so', first: [ORDERS, REVENUE], only: true, field: 'column' },
  { q: 'mrn', why: 'a short column', first: [CARE], only: true, at: 'clinical-care/encounters/encounters.patient.mrn' },
  { q: 'straße', why: 'a column that is not ASCII', first: [CUSTOMERS], only: true, field: 'column' },
  { q: 'e-mail', why: 'a column with a hyphen', first: [CUSTOMERS], field: 'column' },
  // tag
  { q: 'pii', why: 'a tag', first: [CARE, CUSTOMERS], only: true, field: 'tag' },
  { q: 'master data', why: 'a tag with a blank', first: [PLANES], field: 'tag' },
  // part of a word
  { q: 'num', why: 'the end of a column', first: [PLANES, UPKEEP, FLIGHTS], field: 'column' },
  { q: 'craft', why: 'the middle of a title and of a column', first: [PLANES, DELAYS], only: true },
  { q: 'lay', why: 'the middle of a name and of columns', first: [FLIGHTS, DELAYS], only: true },
  { q: 'delay', why: 'a name that begins so before a word of a column', first: [DELAYS, FLIGHTS], only: true },
  { q: 'port', why: 'the middle of a name', first: [AIRPORTS], field: 'name' },
  // text
  { q: 'departures', why: 'a word of a description', first: [FLIGHTS], only: true, field: 'description' },
  { q: 'departure', why: 'another form of it', first: [FLIGHTS], only: true, field: 'description' },
  { q: 'hangar', why: 'a word in the singular', first: [UPKEEP], only: true, field: 'description' },
  { q: 'harbour desk', why: 'what the owner wrote beside it', first: [AIRPORTS], only: true, field: 'docs' },
  { q: 'painted tail', why: 'words of a column’s description', first: [PLANES], only: true, field: 'description' },
  { q: 'new york departures', why: 'words of a tag and of a description', first: [FLIGHTS], only: true },
  { q: 'tailnum manufacturer', why: 'two columns', first: [PLANES], only: true },
  // nothing is a wildcard or an operator
  { q: '%', why: 'a percent sign is a percent sign', first: [CUSTOMERS], not: [PLANES, ORDERS], field: 'tag' },
  { q: '100%', why: 'a tag with a percent sign', first: [CUSTOMERS], only: true, field: 'tag' },
  { q: 'pl%s', why: 'no LIKE', first: [], only: true },
  { q: "'); drop table entry; --", why: 'no SQL', first: [], only: true },
  { q: 'a & | ! ( ) :* <->', why: 'no operators of text search', first: [], not: [] },
  { q: 'planes\\', why: 'a backslash', first: [PLANES] },
  { q: '.*', why: 'no regular expression', first: [], only: true },
  { q: '_', why: 'signs alone are no question', first: [], only: true },
  { q: 'zzzz', why: 'what is not there', first: [], only: true },
]
