import type { ServiceLevel } from '../api/types.ts'
import parts from '../parts/parts.module.css'
import { StatusGlyph } from '../status/status.tsx'
import { formatDate } from '../text/time.ts'
import { dayWords } from './level-words.ts'
import styles from './slo.module.css'

/** The strips as numbers: the same days for eyes, ears and the clipboard. */
export function DayTable({ levels }: { levels: ServiceLevel[] }) {
  const days = levels[0]?.days.toReversed() ?? []
  if (!days.length) return null
  return (
    <details className={styles.days}>
      <summary>Day by day</summary>
      <div className={parts.tableBox}>
        <table className={parts.table}>
          <thead>
            <tr>
              <th>Day, UTC</th>
              {levels.map((level) => (
                <th key={level.name}>{level.name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map(({ day }) => (
              <tr key={day}>
                <th scope="row">{formatDate(day)}</th>
                {levels.map((level) => {
                  const found = level.days.find((each) => each.day === day)
                  return (
                    <td key={level.name}>
                      {found ? (
                        <span className={styles.day}>
                          <StatusGlyph kind="level" state={found.state} /> {dayWords(level, found)}
                        </span>
                      ) : (
                        '–'
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
