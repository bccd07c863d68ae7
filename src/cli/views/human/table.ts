import type { StateFamily } from '../../../client/status-words.ts'
import { cleanLine, cut, paint, type Style } from './style.ts'

type Cell = { text: string; family?: StateFamily }
export type Column<Row> = {
  title: string
  align?: 'right'
  /** the narrowest this column may become when the table is too wide; without it the column keeps its width */
  shrinkTo?: number
  /** left out, the last one first, where the table is too wide even when shrunk */
  optional?: true
  value(row: Row): string | Cell
}

const GAP = '  '

/** Lines of a table no wider than the style where columns may shrink: text left, numbers right, an empty cell is "-". */
export function renderTable<Row>(all: readonly Column<Row>[], rows: readonly Row[], style: Style): string[] {
  const columns = dropUntilFits(all, rows, style.width)
  const cells = rows.map((row) => columns.map((column) => toCell(column.value(row))))
  const widths = fit(
    columns,
    columns.map((column) => widest(column, rows)),
    style.width,
  )
  const line = (texts: readonly Cell[], head: boolean) =>
    texts
      .map((cell, at) => {
        const text = cut(cell.text, widths[at]!)
        const space = ' '.repeat(widths[at]! - [...text].length)
        const painted = head ? paint(style, 'muted', text) : cell.family ? paint(style, cell.family, text) : text
        return columns[at]!.align === 'right' ? space + painted : painted + space
      })
      .join(GAP)
      .trimEnd()
  const head = columns.map(({ title }) => ({ text: title }))
  return [line(head, true), ...cells.map((row) => line(row, false))]
}

function dropUntilFits<Row>(all: readonly Column<Row>[], rows: readonly Row[], width: number): Column<Row>[] {
  const columns = [...all]
  const least = () =>
    columns.reduce(
      (sum, column) => sum + Math.min(widest(column, rows), column.shrinkTo ?? Infinity),
      GAP.length * (columns.length - 1),
    )
  while (least() > width) {
    const last = columns.findLastIndex((column) => column.optional)
    if (last < 0) break
    columns.splice(last, 1)
  }
  return columns
}

function widest<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return Math.max(column.title.length, ...rows.map((row) => [...toCell(column.value(row)).text].length))
}

function toCell(value: string | Cell): Cell {
  const cell = typeof value === 'string' ? { text: value } : value
  const text = cleanLine(cell.text)
  return { ...cell, text: text === '' ? '-' : text }
}

function fit<Row>(columns: readonly Column<Row>[], wanted: readonly number[], width: number): number[] {
  const widths = [...wanted]
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width
  while (excess > 0) {
    const room = columns.map(({ shrinkTo }, at) => (shrinkTo === undefined ? 0 : widths[at]! - shrinkTo))
    const most = Math.max(...room)
    if (most <= 0) break
    widths[room.indexOf(most)]! -= 1
    excess -= 1
  }
  return widths
}
