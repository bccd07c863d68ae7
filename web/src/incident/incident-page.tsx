import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { incidentQuery, serviceLevelsQuery } from '../api/operate-queries.ts'
import { accessQuery } from '../api/queries.ts'
import type { Agreement, Incident } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { productCrumbs } from '../frame/product-crumbs.ts'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page, Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { LevelTable } from '../slo/level-table.tsx'
import { spanOf } from '../slo/slo-tab.tsx'
import { Glyph, Status } from '../status/status.tsx'
import { counted, formatDuration, formatExact, formatTime } from '../text/time.ts'
import styles from './incident.module.css'
import { incidentTitle, severityWords, whenOver } from './incident-words.ts'
import { Messages } from './messages.tsx'

const route = getRouteApi('/incidents/$number')

/** What broke, who is hit, who has it? */
export function IncidentPage() {
  const number = Number(route.useParams().number)
  const query = useQuery(incidentQuery(number))
  const here = { label: `incident ${number}` }
  useCrumbs(query.data?.product ? productCrumbs(query.data.product, here) : [{ label: 'Incidents', to: '/incidents' }, here])
  if (query.data) return <IncidentView incident={query.data} />
  return (
    <Page title={`Incident ${number}`} name={`Incident ${number}`}>
      <Loaded query={query} rows={8}>
        {() => null}
      </Loaded>
    </Page>
  )
}

function IncidentView({ incident }: { incident: Incident }) {
  const take = useAction<Incident>()
  const over = incident.state === 'resolved'
  const lasted = formatDuration(whenOver(incident, Date.now()))
  return (
    <Page
      title={incidentTitle(incident)}
      name={`Incident ${incident.number}, ${incidentTitle(incident)}`}
      chip={<Status kind="incident" state={incident.state} chip />}
      sub={
        <>
          <strong>incident {incident.number}</strong>
          <span title={formatExact(incident.openedAt)}>
            since {formatTime(incident.openedAt)}, {over ? 'lasted' : 'for'} <strong>{lasted}</strong>
          </span>
          {incident.environment ? <span>in {incident.environment}</span> : null}
          <span>{severityWords(incident)}</span>
          {incident.acknowledgedBy ? <span>taken by {incident.acknowledgedBy}</span> : null}
        </>
      }
      actions={
        incident.actions.acknowledge ? (
          <Button
            variant="filled"
            loading={take.isPending}
            onClick={() => take.mutate({ path: `/incidents/${incident.number}/acknowledge` })}
          >
            Take it
          </Button>
        ) : null
      }
    >
      {take.error ? <FailureCard failure={take.error} /> : null}
      <section className={styles.brief} aria-label="What, what to do, who is hit">
        <div>
          <h2>
            <Glyph family={over ? 'ok' : 'bad'} size={13} />
            {over ? 'What it was' : 'What fails'}
          </h2>
          <p>{incident.cause.what}</p>
          <CauseLinks incident={incident} />
        </div>
        <div>
          <h2>{over ? 'How it ended' : 'What to do'}</h2>
          <p>
            {over ? (
              `The level held again at ${formatTime(incident.resolvedAt ?? incident.openedAt)}, so it closed itself.`
            ) : (
              <Commands text={incident.cause.next} />
            )}
          </p>
        </div>
        <div>
          <h2>{over ? 'Who was hit' : 'Who is hit'}</h2>
          {incident.product ? <Hit product={incident.product} /> : <p>Everyone who trusts a state on these pages.</p>}
        </div>
      </section>
      {incident.product ? <Level incident={incident} product={incident.product} /> : null}
      <div className={parts.split} style={{ '--side': '312px' } as React.CSSProperties}>
        <Messages incident={incident} />
        <Section title="Course">
          <Course incident={incident} />
        </Section>
      </div>
    </Page>
  )
}

/** A sentence with the commands in it told apart from its words. */
function Commands({ text }: { text: string }) {
  return text.split(/(heddle [a-z]+(?: [\w./-]*[\w])*)/).map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence never move
    part.startsWith('heddle ') ? <code key={index}>{part}</code> : part,
  )
}

function CauseLinks({ incident }: { incident: Incident }) {
  const { run, upstream, incident: cause } = incident.cause
  if (run === undefined && !upstream && cause === undefined) return null
  const [domain = '', name = ''] = upstream?.split('/') ?? []
  return (
    <p className={styles.links}>
      {run === undefined ? null : (
        <Link to="/runs/$number" params={{ number: String(run) }}>
          Run {run}
        </Link>
      )}
      {upstream ? (
        <Link to="/p/$domain/$name" params={{ domain, name }}>
          {upstream}
        </Link>
      ) : null}
      {cause === undefined ? null : (
        <Link to="/incidents/$number" params={{ number: String(cause) }}>
          Incident {cause}
        </Link>
      )}
    </p>
  )
}

/** Whoever has an agreement reads what failed; products among them may be late because of it. */
function Hit({ product }: { product: string }) {
  const [domain = '', name = ''] = product.split('/')
  const agreements = useQuery(accessQuery(domain, name))
  return (
    <Loaded query={agreements} rows={2}>
      {({ items }) => {
        const hit = consumersOf(items)
        if (!hit.length) return <p>Nobody has an agreement with {product}.</p>
        return (
          <p>
            {counted(hit.length, 'consumer')}: {hit.slice(0, 6).join(', ')}
            {hit.length > 6 ? ` and ${hit.length - 6} more` : ''}.{' '}
            <Link to="/p/$domain/$name" params={{ domain, name }} search={{ tab: 'access' }}>
              Agreements
            </Link>
          </p>
        )
      }}
    </Loaded>
  )
}

function consumersOf(agreements: Agreement[]): string[] {
  const active = agreements.filter(({ state }) => state === 'active' || state === 'expiring')
  return [...new Set(active.map(({ subject }) => subject.replace(/^service:/, 'product ')))].toSorted()
}

function Level({ incident, product }: { incident: Incident; product: string }) {
  const [domain = '', name = ''] = product.split('/')
  const query = useQuery(serviceLevelsQuery(domain, name))
  return (
    <Loaded query={query} rows={2}>
      {({ items }) => {
        const levels = items.filter(
          (level) =>
            level.incident === incident.number || (level.name === incident.slo && level.environment === incident.environment),
        )
        return levels.length ? (
          <Section title="The level now" end={spanOf(levels)}>
            <LevelTable levels={levels} next here={incident.number} />
          </Section>
        ) : (
          <Empty title={`${product} does not promise ${incident.slo} any more`} />
        )
      }}
    </Loaded>
  )
}

function Course({ incident }: { incident: Incident }) {
  const steps = [
    { at: incident.openedAt, what: 'Opened' },
    { at: incident.acknowledgedAt, what: `Taken by ${incident.acknowledgedBy}` },
    { at: incident.resolvedAt, what: 'Resolved: the level holds' },
  ]
  return (
    <ol className={styles.course}>
      {steps.map(({ at, what }) =>
        at ? (
          <li key={what}>
            <span>{what}</span>
            <time dateTime={at} title={formatExact(at)}>
              {formatTime(at)}
            </time>
          </li>
        ) : null,
      )}
      {incident.resolvedAt ? null : (
        <li className="muted">
          <span>{incident.acknowledgedAt ? 'Closes itself when the level holds' : 'Nobody has taken it yet'}</span>
        </li>
      )}
    </ol>
  )
}
