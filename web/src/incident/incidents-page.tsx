import { NativeSelect, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { incidentsQuery } from '../api/operate-queries.ts'
import { productsQuery } from '../api/queries.ts'
import type { Incident } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph, Status } from '../status/status.tsx'
import { capital } from '../text/capital.ts'
import { counted, formatDuration, formatExact, formatTime } from '../text/time.ts'
import styles from './incident.module.css'
import { toldWords, whenOver } from './incident-words.ts'

const route = getRouteApi('/incidents')
const VIEWS = [
  { value: 'open', label: 'Open' },
  { value: 'all', label: 'All' },
]

/** What fails now, why, and has somebody taken it? */
export function IncidentsPage() {
  useCrumbs([{ label: 'Incidents' }])
  const search = route.useSearch()
  const navigate = useNavigate()
  const all = search.show === 'all'
  const query = useQuery(incidentsQuery({ product: search.product, open: all ? undefined : true }))
  const products = useQuery(productsQuery(null)).data?.items ?? []
  const change = (changes: typeof search) => void navigate({ to: '.', search: { ...search, ...changes }, replace: true })
  return (
    <Page title="Incidents" name="Incidents" sub={query.data ? <span>{summary(query.data.items)}</span> : null}>
      <div className={styles.filters}>
        <SegmentedControl
          aria-label="Which incidents"
          data={VIEWS}
          value={all ? 'all' : 'open'}
          onChange={(value) => change({ show: value === 'all' ? 'all' : undefined })}
        />
        <NativeSelect
          aria-label="Product"
          value={search.product ?? ''}
          onChange={(event) => change({ product: event.currentTarget.value || undefined })}
          data={[{ value: '', label: 'All products' }, ...products.map((product) => product.address)]}
        />
      </div>
      <Loaded query={query} rows={6}>
        {({ items }) =>
          items.length ? (
            <IncidentTable incidents={items} />
          ) : (
            <Empty title={all ? 'There was no incident yet' : 'Every promise that is measured holds'}>
              <p>
                {all
                  ? 'A service level that fails opens one; it resolves by itself when the level holds again.'
                  : 'A service level that fails opens an incident here and tells the receivers of its product.'}
              </p>
            </Empty>
          )
        }
      </Loaded>
    </Page>
  )
}

export function IncidentTable({ incidents, withProduct = true }: { incidents: Incident[]; withProduct?: boolean }) {
  const now = Date.now()
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Incident</th>
            <th>State</th>
            <th>Cause</th>
            <th>Told</th>
            <th className={parts.num}>Lasts</th>
            <th className={parts.num}>Opened</th>
          </tr>
        </thead>
        <tbody>
          {incidents.map((incident) => (
            <tr key={incident.number}>
              <td>
                <Link to="/incidents/$number" params={{ number: String(incident.number) }} className={parts.name}>
                  {withProduct && incident.product ? `${incident.product} ` : ''}
                  {withProduct && incident.product ? (
                    <span className={incident.state === 'resolved' ? 'muted' : styles.level}>{incident.slo}</span>
                  ) : (
                    capital(incident.slo)
                  )}
                </Link>
                <small>
                  incident {incident.number}
                  {incident.environment ? ` in ${incident.environment}` : ''}, {incident.severity}
                </small>
              </td>
              <td>
                <Status kind="incident" state={incident.state} />
                {incident.acknowledgedBy ? <small>by {incident.acknowledgedBy}</small> : null}
              </td>
              <td className={styles.cause}>{incident.cause.what}</td>
              <td>
                <Told incident={incident} />
              </td>
              <td className={parts.num}>{formatDuration(whenOver(incident, now))}</td>
              <td className={parts.num} title={formatExact(incident.openedAt)}>
                {formatTime(incident.openedAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Told({ incident }: { incident: Incident }) {
  const lost = incident.messages.some((message) => message.givenUp)
  return (
    <span className={styles.told}>
      {lost ? <Glyph family="warn" size={13} /> : null}
      <span className={incident.messages.length ? undefined : 'muted'}>{toldWords(incident)}</span>
    </span>
  )
}

function summary(items: Incident[]): string {
  const open = items.filter((incident) => incident.state !== 'resolved')
  const taken = open.filter((incident) => incident.state === 'acknowledged').length
  if (!open.length) return 'none is open'
  return `${counted(open.length, 'is', 'are')} open, ${taken ? `${taken} taken` : 'nobody has taken one'}`
}
