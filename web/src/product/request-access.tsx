import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { meQuery } from '../api/queries.ts'
import type { NewRequest, Product, Request } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import parts from '../parts/parts.module.css'
import { readingOf } from '../requests/payload.ts'
import { newRequestCommand } from '../text/cli.ts'
import { counted, formatDay } from '../text/time.ts'
import { servingEnvironments } from './environments.ts'
import { maskWord } from './mask-words.ts'
import styles from './product.module.css'
import { Terms } from './terms.tsx'

/** Port, purpose and time; what the reader would see stands there before he asks. */
export function RequestAccess({
  product,
  port: asked,
  filled = true,
}: {
  product: Product
  port: string | undefined
  filled?: boolean
}) {
  const navigate = useNavigate()
  const me = useQuery(meQuery).data
  const ports = [...new Set(product.offers.flatMap((offer) => offer.ports))]
  const [port, setPort] = useState(asked && ports.includes(asked) ? asked : (ports[0] ?? ''))
  const offers = product.offers.filter((offer) => offer.ports.includes(port))
  const purposes = [...new Set(offers.flatMap((offer) => offer.purposes))]
  const [purpose, setPurpose] = useState('')
  const offer = offers.find((item) => item.purposes.includes(purpose)) ?? offers[0]
  const [days, setDays] = useState<string | null>(null)
  const [reader, setReader] = useState<string | null>(null)
  const [justification, setJustification] = useState('')
  const [tried, setTried] = useState(false)
  const environments = servingEnvironments(product, port)
  const [environment, setEnvironment] = useState(environments.at(-1) ?? '')
  const send = useAction<Request>(
    (request) => void navigate({ to: '/requests/$number', params: { number: String(request.number) } }),
  )
  if (!offer) return null
  const self = me?.as ?? me?.name ?? ''
  const subject = reader ?? self
  const wanted = days === null ? offer.defaultDays : Number(days)
  const wrongPurpose = purpose ? null : 'Choose what you will use it for.'
  const wrongDays =
    Number.isInteger(wanted) && wanted >= 1 && wanted <= offer.maxDays ? null : `A whole number of days, 1 to ${offer.maxDays}.`
  const request: NewRequest = {
    kind: 'access',
    payload: {
      product: product.address,
      port,
      offer: offer.name,
      purpose,
      duration: `${wanted}d`,
      ...(environment && { environment }),
      ...(subject !== self && { subject }),
      ...(justification && { justification }),
    },
  }
  const reading = readingOf(product, port, environment || null)
  return (
    <form
      className={parts.card}
      aria-label="Request access"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (wrongPurpose || wrongDays)
          event.currentTarget.querySelector<HTMLElement>(wrongPurpose ? '[name=purpose]' : '[name=days]')?.focus()
        else send.mutate({ path: '/requests', body: request })
      }}
    >
      <h2>Request access</h2>
      <NativeSelect
        label="Purpose"
        name="purpose"
        data={[{ value: '', label: 'Choose…' }, ...purposes]}
        value={purpose}
        error={tried ? wrongPurpose : null}
        onChange={(event) => setPurpose(event.currentTarget.value)}
      />
      <div className={styles.pair}>
        <NativeSelect
          label="Port"
          name="port"
          data={ports}
          value={port}
          onChange={(event) => setPort(event.currentTarget.value)}
        />
        {environments.length > 1 ? (
          <NativeSelect
            label="Environment"
            name="environment"
            data={environments}
            value={environment}
            onChange={(event) => setEnvironment(event.currentTarget.value)}
          />
        ) : null}
        <TextInput
          label="Who reads"
          name="subject"
          value={subject}
          onChange={(event) => setReader(event.currentTarget.value.trim())}
        />
        <TextInput
          label="Days"
          name="days"
          inputMode="numeric"
          value={days ?? String(offer.defaultDays)}
          error={tried || days !== null ? wrongDays : null}
          onChange={(event) => setDays(event.currentTarget.value.trim())}
        />
      </div>
      <Textarea
        label="Why"
        name="justification"
        description="The approver reads it."
        rows={2}
        value={justification}
        onChange={(event) => setJustification(event.currentTarget.value)}
      />
      <dl className={parts.facts}>
        {reading ? (
          <>
            <dt>Would see</dt>
            <dd>
              {counted(reading.clear.length, 'column')} clear
              {reading.masked.length
                ? `, masked: ${reading.masked.map((column) => `${column.name} (${maskWord(column.mask).name.toLowerCase()})`).join(', ')}`
                : ''}
            </dd>
          </>
        ) : null}
        <dt>Terms</dt>
        <dd className={styles.terms}>
          <Terms terms={offer.terms} />
        </dd>
        <dt>Ends</dt>
        <dd>
          {wrongDays
            ? '–'
            : `${formatDay(new Date(Date.now() + wanted * 86_400_000).toISOString())}, revoked then; at most ${offer.maxDays} d`}
        </dd>
        <dt>Decides</dt>
        <dd>{offer.approvers.join(', ') || 'nobody, approved at once'}</dd>
      </dl>
      {send.error ? <FailureCard failure={send.error} /> : null}
      <div className={styles.send}>
        <Button type="submit" variant={filled ? 'filled' : 'default'} loading={send.isPending}>
          Request access
        </Button>
      </div>
      <CopyLine prompt="$ " text={newRequestCommand(request)} label="Copy as CLI" />
    </form>
  )
}
