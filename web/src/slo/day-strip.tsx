import type { ServiceLevel } from '../api/types.ts'
import { formatDate } from '../text/time.ts'
import { dayWords, isReplayed } from './level-words.ts'
import styles from './slo.module.css'

type Day = ServiceLevel['days'][number]
const SIZES = { product: { cell: 7, gap: 4, height: 22 }, list: { cell: 4, gap: 2, height: 14 } }
const FOOT = 4

/** One cell a day, the oldest first: its height and shape say the state, colour only repeats it. The same numbers stand in `DayTable`. */
export function DayStrip({ level, size = 'product' }: { level: ServiceLevel; size?: keyof typeof SIZES }) {
  const { cell, gap, height } = SIZES[size]
  const { days } = level
  if (!days.length) return <span className="muted">–</span>
  const name = stripName(level)
  const width = days.length * (cell + gap) - gap
  return (
    <svg
      className={styles.strip}
      width={width}
      height={height + FOOT}
      viewBox={`0 0 ${width} ${height + FOOT}`}
      role="img"
      aria-label={name}
    >
      <title>{name}</title>
      {days.map((day, index) => (
        <g key={day.day} data-state={day.state} transform={`translate(${index * (cell + gap)} 0)`}>
          <title>{`${formatDate(day.day)}: ${dayWords(level, day)}`}</title>
          <rect className={styles.reach} width={cell} height={height + FOOT} />
          <Cell day={day} cell={cell} height={height} />
        </g>
      ))}
    </svg>
  )
}

function Cell({ day, cell, height }: { day: Day; cell: number; height: number }) {
  const low = Math.round(height / 3)
  switch (day.state) {
    case 'met':
      return <Bar top={0} cell={cell} height={height} replayed={isReplayed(day)} />
    case 'at-risk':
      return <Bar top={low} cell={cell} height={height} replayed={isReplayed(day)} />
    case 'breached':
      return (
        <>
          <path className={styles.bar} d={`M0 0 ${cell / 2} ${cell} ${cell} 0V${height}H0Z`} />
          {isReplayed(day) ? <Cut cell={cell} height={height} /> : null}
          <rect className={styles.tick} y={height + 2} width={cell} height={2} />
        </>
      )
    case 'not-evaluated':
      return <rect className={styles.hollow} x={0.75} y={0.75} width={cell - 1.5} height={height - 1.5} />
    default:
      return <circle className={styles.hollow} cx={cell / 2} cy={height - 3} r={Math.min(2, cell / 2 - 0.5)} />
  }
}

function Bar({ top, cell, height, replayed }: { top: number; cell: number; height: number; replayed: boolean }) {
  return (
    <>
      <rect className={styles.bar} y={top} width={cell} height={height - top} rx={1} />
      {replayed ? <Cut cell={cell} height={height} /> : null}
    </>
  )
}

/** A replayed day stands off its foot: it was measured, but not on its day. */
function Cut({ cell, height }: { cell: number; height: number }) {
  return <rect className={styles.cut} y={height - 5} width={cell} height={2} />
}

function stripName({ kind, days }: ServiceLevel): string {
  const count = (state: Day['state'], word: string) => {
    const n = days.filter((day) => day.state === state).length
    return n ? `${n} ${word}` : null
  }
  const parts = [
    count('met', 'met'),
    count('at-risk', 'at risk'),
    count('breached', 'breached'),
    count('not-evaluated', 'not evaluated'),
    count('no-data', 'without data'),
  ]
  return `${kind}, ${days.length} days to ${formatDate(days.at(-1)!.day)}: ${parts.filter(Boolean).join(', ')}`
}

const SHOWN: { state: Day['state']; word: string; replayed?: number }[] = [
  { state: 'met', word: 'met' },
  { state: 'at-risk', word: 'at risk' },
  { state: 'breached', word: 'breached' },
  { state: 'not-evaluated', word: 'not evaluated' },
  { state: 'no-data', word: 'no data' },
  { state: 'met', word: 'replayed', replayed: 1 },
]

/** What the shapes mean; only those that occur need explaining. */
export function StripLegend({ levels }: { levels: ServiceLevel[] }) {
  const days = levels.flatMap((level) => level.days)
  const shown = SHOWN.filter(({ state, replayed }) =>
    replayed ? days.some(isReplayed) : days.some((day) => day.state === state),
  )
  return (
    <p className={styles.legend}>
      {shown.map(({ state, word, replayed = 0 }) => (
        <span key={word}>
          <svg className={styles.strip} width={7} height={18} aria-hidden="true">
            <g data-state={state}>
              <Cell day={{ day: '', state, good: 1, bad: 0, unevaluated: 0, replayed }} cell={7} height={14} />
            </g>
          </svg>
          {word}
        </span>
      ))}
    </p>
  )
}
