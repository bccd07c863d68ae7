import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { certificateQuery } from '../api/operate-queries.ts'
import type { Certificate, Product } from '../api/types.ts'
import { CopyButton, CopyIcon } from '../parts/copy.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { RunTable } from '../runs/run-table.tsx'
import { Glyph } from '../status/status.tsx'
import { counted, formatBytes, formatExact, formatTime } from '../text/time.ts'
import { Restore } from './restore.tsx'
import styles from './retire.module.css'

/** What stands in the place of a retired product: why, where its archive is, the proof that nothing else is left, and the way back. */
export function Tombstone({ product }: { product: Product }) {
  const [domain = '', name = ''] = product.address.split('/')
  const query = useQuery(certificateQuery(domain, name))
  const unfinished = query.error?.code === 'RETIRE_STATE_WRONG'
  return (
    <div className={parts.split} style={{ '--side': '360px' } as React.CSSProperties}>
      <div className={parts.stack}>
        {unfinished ? (
          <Unfinished product={product} />
        ) : (
          <Loaded query={query} rows={8}>
            {(certificate) => <Proof certificate={certificate} />}
          </Loaded>
        )}
        <Section
          title="Runs"
          end={
            <Link to="/runs" search={{ product: product.address }}>
              All runs
            </Link>
          }
        >
          {product.runs.length ? (
            <RunTable runs={product.runs.slice(0, 5)} withProduct={false} />
          ) : (
            <Empty title="No run is kept" />
          )}
        </Section>
      </div>
      {query.data ? <Restore product={product} /> : null}
    </div>
  )
}

function Unfinished({ product }: { product: Product }) {
  const run = product.runs.find((each) => each.kind === 'retire')
  return (
    <Empty title="Its retirement has not finished">
      <p>
        {product.reason ?? 'A step is missing.'} What is archived is safe; retry the run to go on.{' '}
        {run ? (
          <Link to="/runs/$number" params={{ number: String(run.number) }}>
            Run {run.number}
          </Link>
        ) : null}
      </p>
    </Empty>
  )
}

function Proof({ certificate }: { certificate: Certificate }) {
  const { archive, findings } = certificate
  const left = findings.filter((finding) => finding.found.length)
  return (
    <>
      <section className={styles.stone} aria-label="Why it was retired">
        <p>
          <strong>Retired</strong> by {certificate.by},{' '}
          <span title={formatExact(certificate.retiredAt)}>{formatTime(certificate.retiredAt)}</span>,{' '}
          <Link to="/runs/$number" params={{ number: String(certificate.run) }}>
            run {certificate.run}
          </Link>
          .
        </p>
        <p>{certificate.because ? `“${certificate.because}”` : <span className="muted">No reason was given.</span>}</p>
      </section>
      <Section title="Archive" end={`${counted(archive.files, 'file')}, ${formatBytes(archive.bytes)}, every checksum read back`}>
        <div className={styles.place}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long path scrolls, and the keyboard must reach it */}
          <code tabIndex={0}>{archive.place}</code>
          <CopyIcon text={archive.place} label="Copy place of the archive" />
        </div>
        <details className={styles.sums}>
          <summary>Checksums</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, and the keyboard must reach them */}
          <pre tabIndex={0}>{archive.sha256.join('\n')}</pre>
        </details>
      </Section>
      <Section
        title="Certificate"
        end={
          left.length
            ? `${left.length} of ${findings.length} questions found something`
            : `${findings.length} questions, nothing is left`
        }
      >
        <div className={parts.tableBox}>
          <table className={parts.table}>
            <thead>
              <tr>
                <th>Asked</th>
                <th>About</th>
                <th>Found</th>
              </tr>
            </thead>
            <tbody>
              {findings.map((finding) => (
                <tr key={`${finding.asked} ${finding.question}`}>
                  <td>{finding.asked}</td>
                  <td>{finding.question}</td>
                  <td>
                    <span className={styles.found}>
                      <Glyph family={finding.found.length ? 'bad' : 'ok'} size={13} /> {finding.found.join(', ') || 'none'}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className={styles.copy}>
          <CopyButton text={certificate.text} label="Copy certificate" />
        </p>
      </Section>
      <Section title="What remains">
        <ul className={styles.kept}>
          {certificate.kept.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      </Section>
    </>
  )
}
