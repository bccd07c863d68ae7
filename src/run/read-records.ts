import { json, type Queries } from '../store/control.ts'

/** What the control database knows of a product, as JSON texts by name: for its archive. Ids, names and hashes; never a row of its data. */
export async function readRecords(queries: Queries, product: string): Promise<Record<string, string>> {
  const runs = await queries.selectFrom('run').selectAll().where('product', '=', product).orderBy('number').execute()
  const steps = await queries
    .selectFrom('step')
    .innerJoin('run', 'run.id', 'step.run')
    .selectAll('step')
    .where('run.product', '=', product)
    .orderBy('run.number')
    .orderBy('step.ordinal')
    .execute()
  const agreements = await queries.selectFrom('agreement').selectAll().where('product', '=', product).orderBy('number').execute()
  const evidence = await queries
    .selectFrom('evidence')
    .innerJoin('agreement', 'agreement.id', 'evidence.agreement')
    .selectAll('evidence')
    .where('agreement.product', '=', product)
    .orderBy('evidence.at')
    .execute()
  const requests = await queries
    .selectFrom('request')
    .selectAll()
    .where(({ or, eb }) =>
      or([
        eb('id', 'in', eb.selectFrom('agreement').select('request').where('agreement.product', '=', product)),
        eb('run', 'in', eb.selectFrom('run').select('run.id').where('run.product', '=', product)),
      ]),
    )
    .orderBy('number')
    .execute()
  const all = {
    runs,
    steps,
    agreements,
    evidence,
    requests,
    releases: await queries.selectFrom('release').selectAll().where('product', '=', product).orderBy('number').execute(),
    entry: await queries.selectFrom('entry').selectAll().where('product', '=', product).execute(),
    monitors: await queries.selectFrom('monitor').selectAll().where('product', '=', product).execute(),
    triggers: await queries.selectFrom('trigger').selectAll().where('product', '=', product).execute(),
    observations: await queries
      .selectFrom('observation')
      .innerJoin('monitor', 'monitor.id', 'observation.monitor')
      .selectAll('observation')
      .where('monitor.product', '=', product)
      .orderBy('slice_start')
      .execute(),
    incidents: await queries.selectFrom('incident').selectAll().where('product', '=', product).orderBy('number').execute(),
    publications: await queries.selectFrom('publication').selectAll().where('product', '=', product).orderBy('at').execute(),
    batches: await queries.selectFrom('batch').selectAll().where('product', '=', product).orderBy('sealed_at').execute(),
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, rows]) => [name, `[\n${rows.map((row) => json(row)).join(',\n')}\n]\n`]),
  )
}
