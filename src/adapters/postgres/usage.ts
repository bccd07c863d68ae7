import { asHeddleError } from '../../core/fail.ts'
import type { UsageReading } from '../../platform/warehouse.ts'
import { ask, type Site } from './session.ts'

const utc = (moment: string) => `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** sql/usage.sql counts; here the sums are read. */
export async function readUsage(
  site: Site,
  { since, keepDays }: { since: string | null; keepDays: number },
): Promise<UsageReading> {
  await ask(site, 'SELECT heddle.sample_usage($1)', [keepDays])
  // one statement, so that `asOf` and the sums belong together
  const [row] = await ask<{ reading: UsageReading }>(
    site,
    `SELECT json_build_object(
       'asOf', ${utc('s.at')}, 'obstacle', s.obstacle, 'countingSince', ${utc('s.counting_since')},
       'ports', coalesce((SELECT json_agg(json_build_object('product', v.product, 'port', v.port_name, 'major', v.major, 'countedSince', ${utc('c.since')}) ORDER BY v.port)
         FROM heddle.served v LEFT JOIN heddle.counter c ON c.port = v.port WHERE v.state = 'live'), '[]'),
       'gaps', coalesce((SELECT json_agg(json_build_object('from', ${utc('g.from_at')}, 'to', ${utc('g.to_at')}, 'why', g.why) ORDER BY g.from_at) FROM heddle.usage_gap g), '[]'),
       'reads', coalesce((SELECT json_agg(json_build_object('product', c.product, 'port', c.port_name, 'major', c.major, 'reader', u.reader, 'day', u.day, 'reads', u.reads,
           'lastReadAt', ${utc('u.last_read_at')}))
         FROM heddle.usage u JOIN heddle.counter c ON c.port = u.port WHERE u.last_read_at >= coalesce($1::timestamptz, '-infinity')), '[]')
     ) AS reading FROM heddle.usage_sample s`,
    [since],
  )
  return row!.reading
}

const KEEP_ALL_DAYS = 36_500

/** Before a reader is let go, whose reads are not counted any more once it may not read. Counting is never a reason not to let it go. */
export async function sampleUsage(site: Site): Promise<void> {
  await ask(site, 'SELECT heddle.sample_usage($1)', [KEEP_ALL_DAYS]).catch((error: unknown) =>
    site.log(`usage of ${site.environment}: ${asHeddleError(error).message}`),
  )
}
