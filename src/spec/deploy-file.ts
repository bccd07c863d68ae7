import { type Located, valueAt } from './located.ts'
import { record, strings, text, textOr } from './plain.ts'
import type { DeployFile } from './types.ts'

export function normaliseDeploy(document: Located): DeployFile {
  const push = record(valueAt(document, ['triggers', 'push']))
  return {
    name: text(valueAt(document, ['metadata', 'name'])),
    environments: Object.entries(record(valueAt(document, ['environments']))).map(([name, value]) => {
      const environment = record(value)
      const approvals = record(environment.approvals)
      return {
        name,
        protected: environment.protected === true,
        approvals: {
          required: typeof approvals.required === 'number' ? approvals.required : 0,
          from: strings(approvals.from),
          prohibitSelfApproval: approvals.prohibitSelfApproval === true,
        },
      }
    }),
    secrets: Object.fromEntries(
      Object.entries(record(valueAt(document, ['secrets']))).map(([name, value]) => [
        name,
        { provider: textOr(record(value).provider, 'heddle'), name: text(record(value).name) },
      ]),
    ),
    branches: push.branches === undefined ? ['main'] : strings(push.branches),
  }
}

/** Policies of the spec that the environment names: its topology and overrides. */
export function environmentPolicies(deploy: Located, environment: string): string[] {
  return strings(record(record(valueAt(deploy, ['environments']))[environment]).policies)
}
