import type { Incident } from '../api/types.ts'
import { Empty } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph } from '../status/status.tsx'
import type { Family } from '../status/vocabulary.ts'
import { counted, formatExact, formatTime } from '../text/time.ts'
import styles from './incident.module.css'

type Message = Incident['messages'][number]
const KINDS = { email: 'mail', webhook: 'webhook' }

/** Who was told, and whether it arrived. */
export function Messages({ incident }: { incident: Incident }) {
  const { messages } = incident
  return (
    <Section title="Messages" count={messages.length || undefined}>
      {messages.length ? (
        <div className={parts.tableBox}>
          <table className={parts.table}>
            <thead>
              <tr>
                <th>Receiver</th>
                <th>By</th>
                <th>Says</th>
                <th>Delivered</th>
                <th className={parts.num}>At</th>
              </tr>
            </thead>
            <tbody>
              {messages.map((message) => (
                <tr key={`${message.receiver} ${message.kind} ${message.change}`}>
                  <td className={parts.name}>{message.receiver}</td>
                  <td>{KINDS[message.kind]}</td>
                  <td>{message.change}</td>
                  <td>
                    <Delivered message={message} />
                  </td>
                  <td className={parts.num} title={message.deliveredAt ? formatExact(message.deliveredAt) : undefined}>
                    {message.deliveredAt ? formatTime(message.deliveredAt) : '–'}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty title="Nobody was told">
          <p>{whyNobody(incident)}</p>
        </Empty>
      )}
    </Section>
  )
}

function Delivered({ message }: { message: Message }) {
  const [family, word] = outcomeOf(message)
  return (
    <>
      <span className={styles.told} data-family={family}>
        <Glyph family={family} size={13} /> {word}
      </span>
      {message.deliveredAt || !message.attempts ? null : (
        <small>
          {counted(message.attempts, 'try', 'tries')}
          {message.problem ? `: ${message.problem}` : ''}
        </small>
      )}
    </>
  )
}

function outcomeOf(message: Message): [Family, string] {
  if (message.deliveredAt) return ['ok', 'Delivered']
  return message.givenUp ? ['bad', 'Given up'] : ['wait', 'Not yet']
}

function whyNobody({ cause, product }: Incident): string {
  if (cause.upstream)
    return `${cause.upstream} caused it, and its receivers are told; an incident downstream sends nothing of its own.`
  return product
    ? 'The spec of the product names no receivers for its service levels.'
    : 'mesh.yml names no receivers for the platform.'
}
