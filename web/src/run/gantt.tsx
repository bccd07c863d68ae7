import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Run } from '../api/types.ts'
import { Icon } from '../parts/icon.tsx'
import { Glyph } from '../status/status.tsx'
import type { Family } from '../status/vocabulary.ts'
import { formatDuration } from '../text/time.ts'
import styles from './gantt.module.css'
import { type GanttRow, type GanttState, ganttOf } from './gantt-rows.ts'

const SHOWN: Record<GanttState, { family: Family; word: string }> = {
  pending: { family: 'off', word: 'Queued' },
  running: { family: 'run', word: 'Running' },
  succeeded: { family: 'ok', word: 'Succeeded' },
  warned: { family: 'warn', word: 'Succeeded with warnings' },
  failed: { family: 'bad', word: 'Failed' },
  skipped: { family: 'off', word: 'Skipped' },
  cancelled: { family: 'off', word: 'Cancelled' },
}

/** Where the run's time went: stages, their steps, dbt's nodes. Every bar has its numbers beside it. */
export function GanttView({ run, now, step }: { run: Run; now: number; step: string | undefined }) {
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map())
  const { rows, tick, length, leftOut } = ganttOf(run, now, folds)
  const usual = rows.some((row) => row.usual !== null)
  return (
    <table className={styles.gantt} data-usual={usual}>
      <caption className="sr-only">Steps of the run, with the time each took</caption>
      <thead>
        <tr className={styles.head}>
          <th scope="col" className={styles.first}>
            <h2>Steps</h2>
            {leftOut > 0 ? <span className="muted">idle {formatDuration(leftOut)} between attempts left out</span> : null}
          </th>
          <th scope="col" className={styles.num}>
            Took
          </th>
          {usual ? (
            <th scope="col" className={styles.num}>
              <span className={styles.swatch} />
              Usual
            </th>
          ) : null}
          <th scope="col" className={styles.when}>
            <span className="sr-only">When</span>
            {rows.some((row) => row.start !== null) ? <Axis tick={tick} /> : null}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row
            key={row.key}
            row={row}
            length={length}
            usual={usual}
            chosen={step !== undefined && row.step === step}
            toggle={() => setFolds(new Map(folds).set(row.step ?? row.key, !row.open))}
          />
        ))}
      </tbody>
    </table>
  )
}

function Axis({ tick }: { tick: number }) {
  return (
    <div className={styles.axis} aria-hidden="true">
      {[0, 1, 2, 3, 4, 5, 6].map((index) => (
        <span key={index} style={{ left: `${(index / 6) * 100}%` }}>
          {tickLabel(tick * index)}
        </span>
      ))}
    </div>
  )
}

type RowProps = { row: GanttRow; length: number; usual: boolean; chosen: boolean; toggle: () => void }

function Row({ row, length, usual, chosen, toggle }: RowProps) {
  const { family, word } = SHOWN[row.state]
  const quiet = row.state === 'skipped' || row.state === 'cancelled' || row.state === 'pending'
  const aloud = family === 'bad' || row.state === 'skipped' || row.state === 'cancelled'
  return (
    <tr className={styles.row} data-state={row.state} data-culprit={row.culprit} data-chosen={chosen} data-quiet={quiet}>
      <th scope="row">
        <div className={styles.name} style={{ paddingLeft: row.level * 20 }}>
          <span className={styles.glyph} title={word}>
            <Glyph family={family} size={12} />
          </span>
          {row.step ? (
            <Link
              to="."
              search={(before: Record<string, unknown>) => ({
                ...before,
                step: chosen ? undefined : (row.step ?? undefined),
                line: undefined,
              })}
              className={row.mono ? styles.mono : styles.plain}
              title={chosen ? 'Show the whole log' : `Show only the log of ${row.name}`}
              aria-current={chosen ? 'true' : undefined}
              resetScroll={false}
            >
              {row.name}
            </Link>
          ) : (
            <span className={styles.plain}>{row.name}</span>
          )}
          {row.qualifier ? <span className={styles.qualifier}>{row.qualifier}</span> : null}
          {row.open === null ? null : (
            <button
              type="button"
              className={styles.fold}
              aria-expanded={row.open}
              aria-label={`Parts of ${row.name}`}
              onClick={toggle}
            >
              <Icon name={row.open ? 'down' : 'right'} size={12} />
            </button>
          )}
          <span className={styles.word}>{aloud ? word : <span className="sr-only">{word}</span>}</span>
        </div>
      </th>
      <td className={styles.num}>{row.took === null ? '–' : formatDuration(row.took)}</td>
      {usual ? <td className={`${styles.num} ${styles.dim}`}>{row.usual === null ? '–' : formatDuration(row.usual)}</td> : null}
      <td className={styles.when}>
        <Track row={row} length={length} />
      </td>
    </tr>
  )
}

function Track({ row, length }: { row: GanttRow; length: number }) {
  const part = (ms: number) => Math.min(100, (ms / length) * 100)
  if (row.start === null || row.end === null)
    return (
      <div className={styles.track}>
        {row.note ? (
          <span className={styles.note} style={{ left: 0 }}>
            {row.note}
          </span>
        ) : null}
      </div>
    )
  const left = part(row.start)
  const width = part(row.end) - left
  const reach = Math.max(part(row.end), part(row.start + (row.usual ?? 0)))
  return (
    <div className={styles.track}>
      {row.usual ? (
        <span className={styles.band} style={{ left: `${left}%`, width: `${part(row.start + row.usual) - left}%` }} />
      ) : null}
      <span
        className={styles.bar}
        data-thin={row.mono || row.level > 0}
        style={{ left: `${left}%`, width: `max(2px, ${width}%)` }}
      />
      {row.note ? (
        <span className={styles.note} style={notePlace(row.note, left, reach)} title={row.note}>
          {row.note}
        </span>
      ) : null}
    </div>
  )
}

/** Right of the bar and its band where the note fits, else on the side with more room; a track is at least 420 px wide. */
function notePlace(note: string, left: number, reach: number): React.CSSProperties {
  const needed = (note.length * 7 + 16) / 4.2
  const right = 100 - reach
  if (right >= needed || right >= left) return { left: `calc(${reach}% + 8px)`, right: 0 }
  return { left: 0, right: `calc(${100 - left}% + 8px)`, textAlign: 'right' }
}

function tickLabel(ms: number): string {
  if (ms >= 3_600_000) return `${+(ms / 3_600_000).toFixed(1)} h`
  if (ms >= 60_000) return `${+(ms / 60_000).toFixed(1)} min`
  return `${+(ms / 1000).toFixed(2)} s`
}
