import type { PortUsage } from '../api/types.ts'
import parts from '../parts/parts.module.css'
import { formatCount, formatDay } from '../text/time.ts'
import styles from './usage.module.css'

const HEIGHT = 120
const STEP = 14
const BAR = 9
const SHOWN = 60

/** Reads a day as bars, the newest right; the table under it has the same numbers. */
export function ReadBars({ port }: { port: PortUsage }) {
  const days = port.days.slice(-SHOWN)
  const most = Math.max(1, ...days.map((day) => day.reads))
  const top = roundUp(most)
  const width = Math.max(20, days.length) * STEP
  const from = width - days.length * STEP
  const [first, last] = [days[0], days.at(-1)]
  return (
    <>
      <div className={styles.chart}>
        <div className={styles.axis} aria-hidden="true">
          <span>{formatCount(top)}</span>
          <span>{formatCount(top / 2)}</span>
          <span>0</span>
        </div>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" className={styles.bars}>
          <title>
            {`Reads of ${port.port} a day, ${first ? formatDay(first.day) : ''} to ${last ? formatDay(last.day) : ''}, at most ${formatCount(most)}`}
          </title>
          {[0, 0.5, 1].map((at) => (
            <line
              key={at}
              x1="0"
              x2={width}
              y1={at * (HEIGHT - 1) + 0.5}
              y2={at * (HEIGHT - 1) + 0.5}
              stroke="var(--hair)"
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {days.map((day, index) => {
            const high = (day.reads / top) * (HEIGHT - 1)
            return (
              <rect
                key={day.day}
                x={from + index * STEP + (STEP - BAR) / 2}
                y={HEIGHT - Math.max(high, 1)}
                width={BAR}
                height={Math.max(high, 1)}
                fill={day.reads ? 'var(--gantt-ok)' : 'var(--mark-off)'}
              >
                <title>{`${formatDay(day.day)}: ${formatCount(day.reads)} by ${formatCount(day.readers)}`}</title>
              </rect>
            )
          })}
        </svg>
        <div className={styles.days} aria-hidden="true">
          <span>{first ? formatDay(first.day) : ''}</span>
          <span>{last ? `${formatDay(last.day)}, days in UTC` : ''}</span>
        </div>
      </div>
      <details className={styles.table}>
        <summary>Show as a table</summary>
        <div className={parts.tableBox}>
          <table className={parts.table}>
            <thead>
              <tr>
                <th>Day (UTC)</th>
                <th className={parts.num}>Reads</th>
                <th className={parts.num}>Readers</th>
              </tr>
            </thead>
            <tbody>
              {days.toReversed().map((day) => (
                <tr key={day.day}>
                  <td>{formatDay(day.day)}</td>
                  <td className={parts.num}>{formatCount(day.reads)}</td>
                  <td className={parts.num}>{formatCount(day.readers)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  )
}

/** The next even number of the form 2, 4, 10, 20, 40, 100 …, so that the middle of the axis is whole. */
function roundUp(value: number): number {
  for (let power = 1; ; power *= 10) for (const step of [2, 4, 10]) if (step * power >= value) return step * power
}
