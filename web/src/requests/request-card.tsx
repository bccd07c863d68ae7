import { Button, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { agreementsOfQuery } from '../api/find-queries.ts'
import { productQuery, runQuery } from '../api/queries.ts'
import type { Request } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Skeleton } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { PlanSteps } from '../parts/plan-steps.tsx'
import { maskWord } from '../product/mask-words.ts'
import { Terms } from '../product/terms.tsx'
import { Status } from '../status/status.tsx'
import { cli } from '../text/cli.ts'
import { counted, formatAge, formatCount, formatExact, formatTime } from '../text/time.ts'
import { readingOf, spacedDuration, textOf } from './payload.ts'
import styles from './requests.module.css'

/** One request, the same wherever it is met: what is asked, what it would grant, who decides, and the decision in place. */
export function RequestCard({ request, plan = true }: { request: Request; plan?: boolean }) {
  // Read before it is drawn, or the buttons to decide would move under the pointer.
  const isAccess = request.kind === 'access'
  const [domain = '', name = ''] = (textOf(request, 'product') ?? '').split('/')
  const product = useQuery({ ...productQuery(domain, name), enabled: isAccess })
  const held = useQuery({ ...agreementsOfQuery(textOf(request, 'subject') ?? request.by), enabled: isAccess })
  if (isAccess && (product.isPending || held.isPending)) return <Skeleton rows={8} />
  return (
    <>
      <section className={parts.card} aria-label={`Request ${request.number}`}>
        <div className={styles.cardHead}>
          <h2>Request {request.number}</h2>
          <Status kind="request" state={request.state} />
          <span className={styles.age} title={formatExact(request.createdAt)}>
            {formatAge(Date.now() - Date.parse(request.createdAt))}
          </span>
        </div>
        <p className={styles.title}>
          <strong>{request.by}</strong>: {request.title}
        </p>
        <Reason request={request} />
        <dl className={parts.facts}>
          {request.kind === 'access' ? (
            <AccessFacts request={request} />
          ) : request.kind === 'retire' || request.kind === 'restore' ? (
            <RetireFacts request={request} />
          ) : (
            <ProductFacts request={request} />
          )}
          <dt>Decides</dt>
          <dd>{request.approvers.join(', ') || 'nobody, it is within your rights'}</dd>
          {request.approvals.map((approval) => (
            <Decided key={approval.at} approval={approval} />
          ))}
          {request.run === null ? null : <RunFact number={request.run} />}
          <dt>Next</dt>
          <dd>{request.next}</dd>
        </dl>
        <Decide request={request} />
      </section>
      {request.plan && plan ? (
        <Section
          title={request.kind === 'access' ? 'What would be granted, step by step' : 'Plan'}
          count={request.plan.steps.length}
        >
          <PlanSteps plan={request.plan} />
        </Section>
      ) : null}
    </>
  )
}

function Reason({ request }: { request: Request }) {
  const reason =
    textOf(request, 'justification') ??
    textOf(request, request.kind === 'retire' ? 'because' : request.kind === 'product' ? 'purpose' : '')
  return reason ? <blockquote className={styles.quote}>{reason}</blockquote> : null
}

function ProductFacts({ request }: { request: Request }) {
  const facts: [string, string | null][] = [
    ['Product', textOf(request, 'name') && `${textOf(request, 'domain')}/${textOf(request, 'name')}`],
    ['Title', textOf(request, 'title')],
    ['Owner', textOf(request, 'owner')],
    ['Template', textOf(request, 'template')],
  ]
  return facts.map(([name, value]) =>
    value ? (
      <div key={name} className={styles.fact}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ) : null,
  )
}

/** Of a product that ends or comes back: which, what then remains, and where to see it. */
function RetireFacts({ request }: { request: Request }) {
  const address = textOf(request, 'product') ?? ''
  const [domain = '', name = ''] = address.split('/')
  const retire = request.kind === 'retire'
  return (
    <>
      <dt>Product</dt>
      <dd>
        <Link to="/p/$domain/$name" params={{ domain, name }}>
          {address}
        </Link>
      </dd>
      {retire && request.state === 'submitted' ? (
        <>
          <dt>Plan</dt>
          <dd>
            <Link to="/p/$domain/$name/retire" params={{ domain, name }}>
              What stops, who is hit, what is kept
            </Link>
          </dd>
        </>
      ) : null}
      <dt>{request.state === 'done' ? 'Left' : 'Leaves'}</dt>
      <dd>
        {retire
          ? 'its archive, a tombstone in the catalog and the records of what was done; everything else is removed'
          : 'the same rows and releases as were archived; agreements are asked for again'}
      </dd>
    </>
  )
}

function AccessFacts({ request }: { request: Request }) {
  const address = textOf(request, 'product') ?? ''
  const port = textOf(request, 'port') ?? ''
  const environment = textOf(request, 'environment')
  const duration = textOf(request, 'duration')
  const [domain = '', name = ''] = address.split('/')
  const product = useQuery({ ...productQuery(domain, name), enabled: name !== '' })
  const reading = product.data ? readingOf(product.data, port, environment) : null
  const offer =
    product.data?.offers.find((item) => item.name === textOf(request, 'offer')) ??
    product.data?.offers.find((item) => item.ports.includes(port))
  return (
    <>
      <dt>Reads</dt>
      <dd>
        <Link to="/p/$domain/$name" params={{ domain, name }}>
          {address}
        </Link>
        /{port}
        {environment ? ` in ${environment}` : ''}
      </dd>
      <dt>As</dt>
      <dd>{textOf(request, 'subject') ?? request.by}</dd>
      <dt>Purpose</dt>
      <dd>{textOf(request, 'purpose')}</dd>
      <dt>For</dt>
      <dd>
        {duration ? spacedDuration(duration) : offer ? `${offer.defaultDays} d, the default of the offer` : 'as the offer says'},
        then revoked
      </dd>
      {reading ? (
        <>
          <dt>Would see</dt>
          <dd>
            {counted(reading.clear.length, 'column')} clear{reading.masked.length ? `, ${reading.masked.length} masked: ` : ''}
            {reading.masked.map((column, index) => (
              <span key={column.name}>
                {index ? ', ' : ''}
                <code>{column.name}</code> {maskWord(column.mask).name.toLowerCase()}
              </span>
            ))}
          </dd>
          {reading.rows === null ? null : (
            <>
              <dt>Rows</dt>
              <dd>up to {formatCount(reading.rows)}, after row filters</dd>
            </>
          )}
        </>
      ) : null}
      {offer ? (
        <>
          <dt>Terms</dt>
          <dd>
            <Terms terms={offer.terms} />
          </dd>
        </>
      ) : null}
      <AlsoReads subject={textOf(request, 'subject') ?? request.by} except={address} />
    </>
  )
}

/** What else the one who would read has: who decides sees what would come together in one hand. */
function AlsoReads({ subject, except }: { subject: string; except: string }) {
  const held = useQuery(agreementsOfQuery(subject)).data?.items.filter(
    (agreement) =>
      agreement.subject === subject && agreement.product !== except && ['active', 'expiring'].includes(agreement.state),
  )
  if (!held) return null
  const products = [...new Set(held.map((agreement) => agreement.product))].toSorted()
  return (
    <>
      <dt>Also reads</dt>
      <dd>
        {products.length
          ? products.map((address, index) => {
              const [domain = '', name = ''] = address.split('/')
              const purposes = [...new Set(held.filter((each) => each.product === address).map((each) => each.purpose))]
              return (
                <span key={address}>
                  {index ? ', ' : ''}
                  <Link to="/p/$domain/$name" params={{ domain, name }}>
                    {address}
                  </Link>{' '}
                  for {purposes.join(', ')}
                </span>
              )
            })
          : 'nothing else of the mesh'}
      </dd>
    </>
  )
}

function Decided({ approval }: { approval: Request['approvals'][number] }) {
  return (
    <>
      <dt className={styles.capital}>{approval.decision}</dt>
      <dd>
        by {approval.by}, {formatTime(approval.at)}
        {approval.note ? `: “${approval.note}”` : ''}
      </dd>
    </>
  )
}

function RunFact({ number }: { number: number }) {
  const run = useQuery(runQuery(number))
  return (
    <>
      <dt>Run</dt>
      <dd>
        <Link to="/runs/$number" params={{ number: String(number) }}>
          run {number}
        </Link>{' '}
        {run.data ? <Status kind="run" state={run.data.state} /> : null}
        {run.data?.problem ? <span>, {run.data.problem.message}</span> : null}
      </dd>
    </>
  )
}

const VERBS = {
  approve: { label: 'Approve', command: cli.approveRequest },
  deny: { label: 'Deny', command: cli.denyRequest },
  retry: { label: 'Retry', command: cli.retryRequest },
  undo: { label: 'Undo', command: cli.undoRequest },
  withdraw: { label: 'Withdraw', command: cli.withdrawRequest },
} as const
type Verb = keyof typeof VERBS

function Decide({ request }: { request: Request }) {
  const [note, setNote] = useState('')
  const [sure, setSure] = useState(false)
  const action = useAction<Request>(() => setNote(''))
  const verbs = (Object.keys(VERBS) as Verb[]).filter((verb) => request.actions[verb])
  if (!verbs.length) return null
  const decides = request.actions.approve || request.actions.deny
  const send = (verb: Verb) => action.mutate({ path: `/requests/${request.number}/${verb}`, body: note ? { note } : {} })
  return (
    <div className={styles.decide}>
      {decides ? (
        <Textarea
          label="Note"
          placeholder="Optional, the requester reads it"
          rows={2}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
      ) : null}
      {/* An undo takes away what was made, and nothing brings it back: it is the one that asks. */}
      {sure ? (
        <>
          <p>Undo removes what request {request.number} has made so far. It cannot be brought back.</p>
          <div className={styles.buttons}>
            <Button loading={action.isPending} onClick={() => send('undo')}>
              Undo request {request.number}
            </Button>
            <Button variant="quiet" onClick={() => setSure(false)}>
              Keep it
            </Button>
          </div>
        </>
      ) : (
        <div className={styles.buttons}>
          {verbs.map((verb, index) => (
            <Button
              key={verb}
              variant={index === 0 && verb !== 'withdraw' && verb !== 'undo' ? 'filled' : 'default'}
              loading={action.isPending && action.variables.path.endsWith(verb)}
              disabled={action.isPending}
              onClick={() => (verb === 'undo' ? setSure(true) : send(verb))}
            >
              {VERBS[verb].label}
            </Button>
          ))}
        </div>
      )}
      {action.error ? <FailureCard failure={action.error} /> : null}
      <CopyLine prompt="$ " text={VERBS[verbs[0]!].command(request.number)} label="Copy as CLI" />
    </div>
  )
}
