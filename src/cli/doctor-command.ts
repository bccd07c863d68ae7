import type { Context } from './context.ts'
import { doctor } from './doctor.ts'
import { EXIT } from './exit-code.ts'
import { locateData } from './locate-server.ts'
import { renderChecks } from './views/human/checks.ts'

/** What `doctor` found; exit 1 when a check failed. */
export async function doctorCommand({ flags, io, dir, print }: Context): Promise<number> {
  const data = await locateData({ data: flags.data, env: io.env, dir })
  const checks = await doctor(data)
  const failed = checks.filter((check) => check.state === 'fail').length
  print({ type: 'result', data, failed, checks }, (style) => renderChecks(checks, style))
  return failed > 0 ? EXIT.failed : EXIT.ok
}
