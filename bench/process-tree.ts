import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type Usage = { totalMb: number; parts: Record<string, number>; processes: number }
export type Sampler = { stop(): Promise<{ peak: Usage; samples: number }> }

const EVERY_MS = 100
/** of Linux on every machine that Node 24 runs on */
const TICKS_PER_SECOND = 100

/** Sums the proportional memory (PSS) of a process and all its descendants every 100 ms and keeps the largest sum. Linux only. */
export function sampleMemory(pid: number): Sampler {
  let peak: Usage = { totalMb: 0, parts: {}, processes: 0 }
  let samples = 0
  let stopped = false
  const sampling = (async () => {
    while (!stopped) {
      const now = await readUsage(pid)
      samples++
      if (now.totalMb > peak.totalMb) peak = now
      await pause(EVERY_MS)
    }
  })()
  return {
    async stop() {
      stopped = true
      await sampling
      return { peak, samples }
    },
  }
}

/** Shared pages are counted once over all processes that share them, which is what PSS is for. */
export async function readUsage(root: number): Promise<Usage> {
  const parts: Record<string, number> = {}
  const processes = await descendants(root)
  const sizes = await Promise.all(processes.map(async ({ pid }) => ({ name: await programOf(pid), kb: await proportional(pid) })))
  for (const { name, kb } of sizes) parts[name] = (parts[name] ?? 0) + kb / 1024
  const totalMb = Object.values(parts).reduce((sum, mb) => sum + mb, 0)
  return { totalMb, parts, processes: processes.length }
}

/** What the reaped children of a process cost it; unchanged means that it has had no child that ended meanwhile. */
export async function reapedFaults(pid: number): Promise<number> {
  return Number((await readStat(pid))?.fields[10] ?? Number.NaN)
}

/** CPU seconds of a process, its descendants, and the children that each of them has reaped. */
export async function readCpuSeconds(root: number): Promise<number> {
  const stats = await Promise.all((await descendants(root)).map(({ pid }) => readStat(pid)))
  const ticks = stats.flatMap((stat) => (stat ? stat.fields.slice(11, 15).map(Number) : [])).reduce((sum, each) => sum + each, 0)
  return ticks / TICKS_PER_SECOND
}

export async function descendants(root: number): Promise<{ pid: number; name: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const known = new Map<number, { parent: number; name: string }>()
  for (const [index, stat] of (await Promise.all(pids.map(readStat))).entries())
    if (stat) known.set(pids[index]!, { parent: Number(stat.fields[1]), name: stat.name })
  const belongs = (pid: number): boolean => pid === root || (known.has(pid) && belongs(known.get(pid)!.parent))
  return [...known].filter(([pid]) => belongs(pid)).map(([pid, { name }]) => ({ pid, name }))
}

/** `fields[0]` is the state: the name before it may hold spaces. */
async function readStat(pid: number): Promise<{ name: string; fields: string[] } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  const end = text.lastIndexOf(')')
  return { name: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') }
}

/** A process may call itself anything; its program's file does not change. */
async function programOf(pid: number): Promise<string> {
  const path = await readlink(`/proc/${pid}/exe`).catch(() => 'ended')
  return basename(path.replace(/ \(deleted\)$/, ''))
}

async function proportional(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
}
