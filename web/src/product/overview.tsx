import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { incidentsQuery } from '../api/operate-queries.ts'
import { requestsQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { brokenRuns } from '../home/what-needs-me.ts'
import { CopyLine } from '../parts/copy.tsx'
import { Empty } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { RunTable } from '../runs/run-table.tsx'
import { Glyph, Status, StatusGlyph } from '../status/status.tsx'
import { wordFor } from '../status/vocabulary.ts'
import { capital } from '../text/capital.ts'
import { cli } from '../text/cli.ts'
import { counted, formatExact, formatTime } from '../text/time.ts'
import { Connect } from './connect.tsx'
import { LevelsNow } from './levels-now.tsx'
import { Operate } from './operate.tsx'
import styles from './product.module.css'
import { Yours } from './yours.tsx'

export function Overview({ product }: { product: Product }) {
  return (
    <div className={parts.split}>
      <div className={parts.stack}>
        <Trouble product={product} />
        {product.description ? <p className={styles.description}>{product.description}</p> : null}
        <LevelsNow product={product} />
        <Environments product={product} />
        <Connect product={product} />
        <Section
          title="Recent runs"
          count={product.runs.length}
          end={
            <Link to="/runs" search={{ product: product.address }}>
              All runs
            </Link>
          }
        >
          {product.runs.length ? (
            <RunTable runs={product.runs.slice(0, 6)} withProduct={false} />
          ) : (
            <Empty title="Nothing has run yet" />
          )}
        </Section>
      </div>
      <div className={parts.stack}>
        <Yours product={product} />
        <Next product={product} />
        <Operate product={product} />
        <Facts product={product} />
        <Roles product={product} />
      </div>
    </div>
  )
}

/** Why the state is what it is, what fails, and what failed last: each with where to look. */
function Trouble({ product }: { product: Product }) {
  const client = useQueryClient()
  const incidents =
    useQuery({
      ...incidentsQuery({ product: product.address, open: true }),
      // The rail has asked for all that are open: what it knows stands here at once.
      placeholderData: () => {
        const all = client.getQueryData(incidentsQuery({ open: true }).queryKey)
        return all && { ...all, items: all.items.filter((incident) => incident.product === product.address) }
      },
    }).data?.items ?? []
  const [broken] = brokenRuns(product.runs)
  const { family, word } = wordFor('product', product.state)
  // A failed run that is named below needs no second line.
  const telling = product.reason !== null && family !== 'ok' && !(broken && product.reason.startsWith(`run ${broken.number}:`))
  if (!telling && !broken && !incidents.length) return null
  return (
    <ul className={styles.trouble}>
      {telling ? (
        <li>
          <Glyph family={family} />
          <p>
            <strong>{word}</strong> since {formatTime(product.since)}. {product.reason}
          </p>
        </li>
      ) : null}
      {incidents.slice(0, 3).map((incident) => (
        <li key={incident.number}>
          <Glyph family={incident.severity === 'page' ? 'bad' : 'warn'} />
          <p>
            <strong>{capital(incident.slo)} fails</strong> in {incident.environment} since {formatTime(incident.openedAt)}.{' '}
            {incident.cause.what}
            {incident.acknowledgedBy ? <span className="muted"> Taken by {incident.acknowledgedBy}.</span> : null}
          </p>
          <Link to="/incidents/$number" params={{ number: String(incident.number) }}>
            Incident {incident.number}
          </Link>
        </li>
      ))}
      {broken ? (
        <li>
          <Glyph family="bad" />
          <p>
            <strong>{capital(broken.kind)} failed</strong> at {formatTime(broken.endedAt ?? broken.createdAt)}
            {broken.step ? ` in ${broken.step}` : ''}. {broken.problem?.message}
          </p>
          <Link to="/runs/$number" params={{ number: String(broken.number) }}>
            Run {broken.number}
          </Link>
        </li>
      ) : null}
    </ul>
  )
}

function Environments({ product }: { product: Product }) {
  return (
    <Section title="Environments" count={product.environments.length}>
      <div className={parts.tableBox}>
        <table className={parts.table}>
          <thead>
            <tr>
              <th>Environment</th>
              <th>State</th>
              <th>Release</th>
              <th>Commit</th>
              <th>Run</th>
              <th className={parts.num}>Since</th>
            </tr>
          </thead>
          <tbody>
            {product.environments.map(({ name, state, release, protected: approved }) => (
              <tr key={name}>
                <td className={parts.name}>
                  {name}
                  {approved ? <small>needs approval</small> : null}
                </td>
                <td>
                  <Status kind="product" state={state} />
                </td>
                <td className="number">{release ? `r${release.number} · ${release.label}` : <span className="muted">–</span>}</td>
                <td>
                  {release ? <code title={release.commit}>{release.commit.slice(0, 7)}</code> : <span className="muted">–</span>}
                </td>
                <td>
                  {release ? (
                    <Link to="/runs/$number" params={{ number: String(release.run) }}>
                      run {release.run}
                    </Link>
                  ) : (
                    <span className="muted">–</span>
                  )}
                </td>
                <td className={parts.num} title={release ? formatExact(release.at) : undefined}>
                  {release ? formatTime(release.at) : '–'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

/** The one list of what this reader can do here now. */
function Next({ product }: { product: Product }) {
  const requests =
    useQuery(requestsQuery({ open: true })).data?.items.filter(
      (request) => request.payload.product === product.address && request.actions.approve,
    ) ?? []
  const waiting = product.runs.filter((run) => run.state === 'waiting')
  const draft = product.environments.every((environment) => environment.release === null)
  if (!requests.length && !waiting.length && !draft) return null
  return (
    <Section title="Next">
      <ul className={styles.next}>
        {waiting.map((run) => (
          <li key={run.number}>
            <StatusGlyph kind="run" state={run.state} />
            <Link to="/runs/$number" params={{ number: String(run.number) }}>
              Approve run {run.number} to {run.environment}
            </Link>
          </li>
        ))}
        {requests.map((request) => (
          <li key={request.number}>
            <StatusGlyph kind="request" state={request.state} />
            <Link to="/requests/$number" params={{ number: String(request.number) }}>
              Decide request {request.number}
            </Link>
          </li>
        ))}
        {draft ? (
          <li>
            <Glyph family="off" size={13} />
            <span>Clone it, change the spec, push: the first push to main deploys it.</span>
          </li>
        ) : null}
      </ul>
    </Section>
  )
}

function Facts({ product }: { product: Product }) {
  const monitored = new Set(product.monitors.map(({ port, object, kind }) => `${port} ${object} ${kind}`)).size
  const ports = [...new Set(product.served.map((served) => `${served.port} v${served.major}`))]
  return (
    <Section title="Repository">
      <div className={styles.facts}>
        <CopyLine text={product.repository.cloneUrl} label="Copy clone URL" />
        <CopyLine prompt="$ " text={cli.clone(product.address)} label="Copy command" />
        <dl className={parts.facts}>
          <dt>main</dt>
          <dd>{product.repository.head ? <code>{product.repository.head.slice(0, 7)}</code> : 'no commit yet'}</dd>
          <dt>Output ports</dt>
          <dd>{ports.join(', ') || 'none served yet'}</dd>
          <dt>Catalog</dt>
          <dd>
            {product.catalog
              ? `${product.catalog.community}, ${wordFor('product', product.catalog.state).word.toLowerCase()}`
              : 'not listed'}
          </dd>
          <dt>Monitors</dt>
          <dd>{monitored ? counted(monitored, 'level') : 'none yet'}</dd>
        </dl>
      </div>
    </Section>
  )
}

function Roles({ product }: { product: Product }) {
  return (
    <Section title="Roles" count={product.roles.length}>
      <ul className={parts.list}>
        {product.roles.map((role) => (
          <li key={role.role} className={styles.role}>
            <span className={parts.name}>{role.role}</span>
            <span>{role.subjects.join(', ') || <span className="muted">nobody</span>}</span>
            <small className={parts.small}>{role.may}</small>
          </li>
        ))}
      </ul>
    </Section>
  )
}
