import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ErrorCode } from '../core/errors.ts'
import { check, DEPLOY, requestFor, SPEC } from './fixtures/small-spec.ts'
import { validateProduct } from './validate.ts'

type Broken = {
  reason: string
  /** replaced once in the spec */
  edit: [from: string, to: string]
  code: ErrorCode
  /** the text at whose first letter the diagnostic must point, and which of its occurrences */
  at: string
  nth?: number
  severity?: 'warning'
  fix?: RegExp
}

const MASK = '- {name: email, columns: [planes.owner_email], method: hash}'
const RULE = '- {id: rows, metric: rowCount, mustBeGreaterThan: 0}'
const FILTER = 'condition: base in subject.bases'
const SLO = 'freshness: {threshold: 24h}'
const TERMS = 'properties: {purpose: [operations], duration: {default: 90d, max: 180d}}'

const BROKEN: Broken[] = [
  {
    reason: 'unknown key with a near name',
    edit: ['dependsOn: [build]', 'dependOn: [build]'],
    code: 'SPEC_KEY_UNKNOWN',
    at: 'dependOn',
    fix: /dependsOn/,
  },
  { reason: 'missing key', edit: ['        version: "1.0.0"\n', ''], code: 'SPEC_KEY_MISSING', at: 'properties:', nth: 3 },
  { reason: 'unquoted version', edit: ['"1.0.0"', '1.0'], code: 'SPEC_VERSION_INVALID', at: '1.0', fix: /"1\.0"/ },
  { reason: 'version of two parts', edit: ['"1.0.0"', '"1.0"'], code: 'SPEC_VERSION_INVALID', at: '"1.0"' },
  {
    reason: 'unknown component type',
    edit: ['type: dbt-transformation', 'type: dbt-transform'],
    code: 'SPEC_TYPE_UNKNOWN',
    at: 'dbt-transform',
    fix: /dbt-transformation/,
  },
  {
    reason: 'a name that is none',
    edit: ['- name: build', '- name: Build_It'],
    code: 'CORE_NAME_INVALID',
    at: 'Build_It',
    fix: /build-it/,
  },
  { reason: 'duration with a space', edit: ['24h', '24 hrs'], code: 'CORE_DURATION_INVALID', at: '24 hrs', fix: /24h/ },
  {
    reason: 'duplicate key',
    edit: ['kind: Application', 'kind: Application\nkind: Application'],
    code: 'SPEC_KEY_DUPLICATE',
    at: 'kind:',
    nth: 1,
  },
  {
    reason: 'another domain',
    edit: ['namespace: fleet', 'namespace: flight-ops'],
    code: 'SPEC_METADATA_MISMATCH',
    at: 'flight-ops',
  },
  { reason: 'another product', edit: ['  name: planes\n', '  name: plains\n'], code: 'SPEC_METADATA_MISMATCH', at: 'plains' },
  {
    reason: 'path that leaves the source',
    edit: ['nycflights13/planes.csv', '../planes.csv'],
    code: 'SPEC_VALUE_INVALID',
    at: '../planes.csv',
  },
  { reason: 'absolute path', edit: ['nycflights13/planes.csv', '/etc/passwd'], code: 'SPEC_VALUE_INVALID', at: '/etc/passwd' },
  {
    reason: 'source of another domain',
    edit: ['nycflights13/planes.csv', 'synthetic/planes.csv'],
    code: 'SPEC_REFERENCE_UNKNOWN',
    at: 'synthetic/planes.csv',
  },
  {
    reason: 'dependsOn of nothing',
    edit: ['dependsOn: [ingest]', 'dependsOn: [ingets]'],
    code: 'SPEC_REFERENCE_UNKNOWN',
    at: 'ingets',
    fix: /ingest/,
  },
  {
    reason: 'from of nothing',
    edit: ['{from: planes-file', '{from: plane-file'],
    code: 'SPEC_REFERENCE_UNKNOWN',
    at: 'plane-file',
  },
  {
    reason: 'two components of one name',
    edit: ['- name: build', '- name: ingest'],
    code: 'SPEC_NAME_DUPLICATE',
    at: 'ingest\n      type: dbt',
  },
  { reason: 'two columns of one name', edit: ['name: seats', 'name: Tailnum'], code: 'SPEC_NAME_DUPLICATE', at: 'Tailnum' },
  {
    reason: 'object named like a word of SQL',
    edit: ['- name: planes\n              properties', '- name: order\n              properties'],
    code: 'SPEC_NAME_RESERVED',
    at: 'order\n',
  },
  {
    reason: 'trait on the wrong component',
    edit: [
      '- {type: trigger, properties: {cron: {schedule: "15 4 * * *", timeZone: Europe/Vienna}}}',
      '- {type: service-level, properties: {availability: 99%}}',
    ],
    code: 'SPEC_TRAIT_MISPLACED',
    at: 'service-level, prop',
  },
  {
    reason: 'circle',
    edit: ['dependsOn: [planes-file]', 'dependsOn: [planes-file, build]'],
    code: 'SPEC_COMPONENT_CYCLE',
    at: '[planes-file, build]',
  },
  {
    reason: 'nothing feeds the port',
    edit: ['      dependsOn: [build]\n', ''],
    code: 'SPEC_COMPONENT_UNUSED',
    at: 'planes\n      type: sql',
    severity: 'warning',
  },
  {
    reason: 'quality rule over no column',
    edit: [RULE, '- {id: rows, metric: nullValues, arguments: {properties: [seat]}, mustBe: 0}'],
    code: 'SPEC_QUALITY_INVALID',
    at: 'seat]',
    fix: /seats/,
  },
  {
    reason: 'quality query that writes',
    edit: [RULE, '- {id: rows, type: sql, query: "delete from x", mustBe: 0}'],
    code: 'SPEC_QUALITY_INVALID',
    at: '"delete',
  },
  {
    reason: 'quality rule with two operators',
    edit: [RULE, '- {id: rows, metric: rowCount, mustBe: 1, mustBeLessThan: 3}'],
    code: 'SPEC_QUALITY_INVALID',
    at: '3}',
  },
  {
    reason: 'quality rule the wrong way round',
    edit: [RULE, '- {id: rows, metric: rowCount, mustBeBetween: [9, 1]}'],
    code: 'SPEC_QUALITY_INVALID',
    at: '[9, 1]',
  },
  {
    reason: 'no key',
    edit: [', primaryKey: true}', '}'],
    code: 'SPEC_OBJECT_KEYLESS',
    at: 'planes\n              properties',
    severity: 'warning',
  },
  {
    reason: 'both contracts',
    edit: ['version: "1.0.0"', 'version: "1.0.0"\n        contractRef: contracts/a.odcs.yaml'],
    code: 'SPEC_CONTRACT_COUNT',
    at: 'contractRef',
  },
  { reason: 'schedule with six fields', edit: ['"15 4 * * *"', '"0 15 4 * * *"'], code: 'SPEC_CRON_INVALID', at: '"0 15' },
  { reason: 'schedule that never fires', edit: ['"15 4 * * *"', '"15 4 30 2 *"'], code: 'SPEC_CRON_INVALID', at: '"15 4 30' },
  {
    reason: 'schedule in the missing hour',
    edit: ['"15 4 * * *"', '"15 2 * * *"'],
    code: 'SPEC_CRON_RISKY',
    at: '"15 2',
    severity: 'warning',
  },
  { reason: 'no such zone', edit: ['Europe/Vienna', 'Europe/Viena'], code: 'SPEC_ZONE_UNKNOWN', at: 'Europe/Viena' },
  { reason: 'default above max', edit: ['default: 90d', 'default: 200d'], code: 'SPEC_DURATION_ORDER', at: '200d' },
  {
    reason: 'freshness on no column',
    edit: [SLO, 'freshness: {threshold: 24h, element: build}'],
    code: 'SPEC_SLO_INVALID',
    at: 'build}',
    fix: /built/,
  },
  {
    reason: 'freshness on a text',
    edit: [SLO, 'freshness: {threshold: 24h, element: base}'],
    code: 'SPEC_SLO_INVALID',
    at: 'base}',
  },
  {
    reason: 'service level of no object',
    edit: [SLO, `${SLO}\n            object: plane`],
    code: 'SPEC_SLO_INVALID',
    at: 'plane\n',
  },
  {
    reason: 'a basic level missing',
    edit: [`            ${SLO}\n`, ''],
    code: 'SPEC_SLO_MISSING',
    at: 'service-level',
    severity: 'warning',
  },
  {
    reason: 'alert nobody hears',
    edit: [
      SLO,
      `${SLO}\n            alertPolicies: [{name: breach, conditions: [{kind: burnrate, threshold: 2, lookbackWindow: 6h}]}]`,
    ],
    code: 'SPEC_ALERT_UNHEARD',
    at: 'breach',
  },
  {
    reason: 'pii without a mask',
    edit: [MASK, '- {name: email, columns: [planes.seats], method: "null"}'],
    code: 'SPEC_PII_UNMASKED',
    at: 'owner_email',
  },
  {
    reason: 'a mask that spares consumers',
    edit: [MASK, '- {name: email, columns: [planes.owner_email], method: hash, exempt: [{role: consumer}]}'],
    code: 'SPEC_PII_UNMASKED',
    at: 'owner_email',
  },
  { reason: 'looks personal', edit: [', tags: [pii]', ''], code: 'SPEC_PII_UNTAGGED', at: 'owner_email', severity: 'warning' },
  {
    reason: 'filter that does not parse',
    edit: [FILTER, 'condition: lower(base) = 1'],
    code: 'POLICY_FILTER_INVALID',
    at: '(base)',
  },
  {
    reason: 'filter over no column',
    edit: [FILTER, 'condition: "bas in subject.bases"'],
    code: 'POLICY_FILTER_INVALID',
    at: 'bas in',
    fix: /base/,
  },
  {
    reason: 'filter of the wrong type',
    edit: [FILTER, "condition: seats = 'many'"],
    code: 'POLICY_FILTER_INVALID',
    at: "seats = 'many'",
  },
  {
    reason: 'filter on no object',
    edit: ['object: planes, condition', 'object: plane, condition'],
    code: 'SPEC_REFERENCE_UNKNOWN',
    at: 'plane, condition',
  },
  {
    reason: 'hash of a date',
    edit: [MASK, `${MASK}\n              - {name: built, columns: [planes.built], method: hash}`],
    code: 'SPEC_MASK_INVALID',
    at: 'hash}',
    nth: 1,
  },
  {
    reason: 'mask of no column',
    edit: ['[planes.owner_email]', '[planes.owner_mail]'],
    code: 'SPEC_MASK_INVALID',
    at: 'planes.owner_mail',
    fix: /owner_email/,
  },
  {
    reason: 'two masks on one column',
    edit: [MASK, `${MASK}\n              - {name: again, columns: [planes.owner_email], method: "null"}`],
    code: 'SPEC_MASK_INVALID',
    at: 'again',
  },
  {
    reason: 'a key masked away',
    edit: [MASK, `${MASK}\n              - {name: key, columns: [planes.tailnum], method: "null"}`],
    code: 'SPEC_MASK_INVALID',
    at: '"null"',
  },
  {
    reason: 'a mask method of other systems',
    edit: ['method: hash', 'method: reversible'],
    code: 'SPEC_VALUE_INVALID',
    at: 'reversible',
  },
  {
    reason: 'consumer that writes',
    edit: [
      '  policies:\n',
      '  policies:\n    - {name: roles, type: access-control, properties: {roles: [{role: consumer, access: write}]}}\n',
    ],
    code: 'SPEC_ROLE_INVALID',
    at: 'write}]',
  },
  {
    reason: 'a role twice',
    edit: [
      '  policies:\n',
      '  policies:\n    - {name: roles, type: access-control, properties: {roles: [{role: service, access: write}, {role: service, access: write}]}}\n',
    ],
    code: 'SPEC_ROLE_INVALID',
    at: 'service, access',
    nth: 1,
  },
  {
    reason: 'a password in a comment',
    edit: ['kind: Application\n', 'kind: Application # postgres://app:hunter2@db.example.org/x\n'],
    code: 'SPEC_SECRET_LITERAL',
    at: 'postgres://',
  },
  {
    reason: 'a secret without an entry',
    edit: ['format: csv}}', 'format: csv}, secretRef: {name: files}}'],
    code: 'SPEC_SECRET_UNDECLARED',
    at: 'files}}',
  },
  {
    reason: 'sensitive without terms',
    edit: [`    - name: terms\n      type: data-sharing-agreement\n      ${TERMS}\n`, ''],
    code: 'SPEC_OFFER_MISSING',
    at: 'planes\n      type: sql',
  },
  {
    reason: 'limited data set with an identifier',
    edit: [
      TERMS,
      'properties: {purpose: [operations], duration: {max: 180d}, terms: {version: "1", legalBasis: 45 CFR 164.514(e)}, obligations: [safeguards, report-misuse, bind-subcontractors, no-contact]}',
    ],
    code: 'SPEC_OFFER_IDENTIFYING',
    at: 'phone',
  },
  {
    reason: 'limited data set without obligations',
    edit: [
      TERMS,
      'properties: {purpose: [operations], duration: {max: 180d}, terms: {version: "1", legalBasis: 45 CFR 164.514(e)}, obligations: [safeguards, report-misuse, no-contact]}',
    ],
    code: 'SPEC_OFFER_INCOMPLETE',
    at: '[safeguards',
  },
  {
    reason: 'no purpose',
    edit: ['{description: {purpose: Aircraft.}}', '{title: Planes}'],
    code: 'SPEC_METADATA_INCOMPLETE',
    at: 'data-product',
    severity: 'warning',
  },
  {
    reason: 'active without a place to ask',
    edit: ['{description: {purpose: Aircraft.}}', '{status: active, description: {purpose: Aircraft.}}'],
    code: 'SPEC_METADATA_INCOMPLETE',
    at: 'data-product',
  },
  {
    reason: 'a link that runs',
    edit: [
      '{description: {purpose: Aircraft.}}',
      '{description: {purpose: Aircraft.}, support: [{channel: x, url: "javascript:alert(1)"}]}',
    ],
    code: 'SPEC_VALUE_INVALID',
    at: '"javascript',
  },
  {
    reason: 'unquoted boolean of old',
    edit: ['channel', 'channel'],
    code: 'SPEC_YAML_AMBIGUOUS',
    at: 'off',
    severity: 'warning',
  },
  {
    reason: 'override of the contract',
    edit: [
      '  policies:\n',
      '  policies:\n    - {name: for-dev, type: override, properties: {components: [{name: planes, properties: {contract: {schema: []}}}]}}\n',
    ],
    code: 'SPEC_OVERRIDE_FORBIDDEN',
    at: 'contract: {schema: []}',
  },
]

/** Some cases need a spec with something more in it. */
function baseFor({ reason }: Broken): string {
  if (reason === 'sensitive without terms') return SPEC.replace('tags: [pii]', 'tags: [pii], classification: restricted')
  if (reason === 'limited data set with an identifier')
    return SPEC.replace('{name: seats, logicalType: integer}', '{name: phone, logicalType: string, tags: [phi]}')
  if (reason === 'unquoted boolean of old')
    return SPEC.replace('name: planes\n  namespace', 'name: planes\n  labels: {tracking: off}\n  namespace')
  return SPEC
}

for (const broken of BROKEN) {
  test(`${broken.reason}: ${broken.code}`, () => {
    const base = baseFor(broken)
    if (broken.edit[0] !== broken.edit[1]) assert.ok(base.includes(broken.edit[0]), 'the edit finds its place')
    const text = base.replace(broken.edit[0], () => broken.edit[1])
    const { spec, diagnostics } = check(text)
    let offset = text.indexOf(broken.at)
    for (let n = 0; n < (broken.nth ?? 0); n++) offset = text.indexOf(broken.at, offset + 1)
    assert.ok(offset >= 0)
    const before = text.slice(0, offset).split('\n')
    const expected = `${before.length}:${before.at(-1)!.length + 1}`
    const found = diagnostics.filter((diagnostic) => diagnostic.code === broken.code)
    const places = found.map((diagnostic) => `${diagnostic.at?.line}:${diagnostic.at?.column}`)
    assert.ok(places.includes(expected), `expected ${broken.code} at ${expected}, found ${JSON.stringify(diagnostics, null, 1)}`)
    const one = found[places.indexOf(expected)]!
    assert.equal(one.severity, broken.severity ?? 'error')
    assert.equal(one.at?.file, 'spec.yml')
    if (broken.fix) assert.match(one.fix ?? '', broken.fix)
    assert.equal(
      spec === null,
      diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    )
    assert.ok(!JSON.stringify(diagnostics).includes('hunter2'), 'a secret is never repeated')
  })
}

test('the small spec itself is clean', () => {
  const { spec, deploy, diagnostics } = check(SPEC)
  assert.deepEqual(diagnostics, [])
  assert.equal(spec?.version, '1.0.0')
  assert.equal(spec?.title, 'Planes')
  assert.deepEqual(deploy?.environments[1], {
    name: 'prod',
    protected: true,
    approvals: { required: 1, from: ['owner'], prohibitSelfApproval: false },
  })
  assert.deepEqual(
    spec?.roles.map((role) => [role.role, role.ports, role.subjects, role.approvers]),
    [
      ['consumer', ['planes'], [], ['owner']],
      ['service', [], [], ['owner']],
      ['owner', [], ['dana'], ['owner']],
    ],
  )
})

test('all problems at once, in order of position', () => {
  const text = SPEC.replace('24h', '24 hrs').replace('[ingest]', '[ingets]').replace('Europe/Vienna', 'Mars/Base')
  const lines = check(text).diagnostics.map((diagnostic) => diagnostic.at!.line)
  assert.ok(lines.length >= 3)
  assert.deepEqual(
    lines,
    lines.toSorted((a, b) => a - b),
  )
})

const BROKEN_DEPLOY: [reason: string, from: string, to: string, code: ErrorCode, line: number, column: number][] = [
  ['unknown environment', 'dev:', 'test:', 'SPEC_ENVIRONMENT_INVALID', 5, 3],
  ['protected by nobody', ', approvals: {required: 1, from: [owner]}', '', 'SPEC_ENVIRONMENT_INVALID', 6, 21],
  [
    'approvals without protection',
    'dev: {protected: false}',
    'dev: {approvals: {required: 1, from: [owner]}}',
    'SPEC_ENVIRONMENT_INVALID',
    5,
    9,
  ],
  ['steps of our own', 'secrets: {}', 'steps: []', 'SPEC_KEY_UNKNOWN', 7, 1],
  ['a secret value', 'secrets: {}', 'secrets: {db: {provider: env, name: "pass=hunter2"}}', 'SPEC_SECRET_LITERAL', 7, 38],
  ['an unknown policy', 'dev: {protected: false}', 'dev: {policies: [for-dev]}', 'SPEC_REFERENCE_UNKNOWN', 5, 20],
  ['another product', 'name: planes', 'name: trains', 'SPEC_METADATA_MISMATCH', 3, 18],
]

for (const [reason, from, to, code, line, column] of BROKEN_DEPLOY) {
  test(`deploy file, ${reason}: ${code}`, () => {
    assert.ok(DEPLOY.includes(from))
    const { deploy, diagnostics } = check(SPEC, DEPLOY.replace(from, to))
    assert.equal(deploy, null)
    assert.ok(
      diagnostics.some(
        (one) => one.code === code && one.at?.file === 'deploy.yml' && one.at.line === line && one.at.column === column,
      ),
      JSON.stringify(diagnostics, null, 1),
    )
  })
}

test('an override is checked after it is merged, at its own line', () => {
  const text = `${SPEC}    - name: for-dev
      type: override
      properties:
        components:
          - name: ingest
            traits: [{type: trigger, properties: {cron: {schedule: "0 25 * * *"}}}]
          - {name: planes, traits: [{type: service-level, properties: {freshness: {threshold: 1 hour}}}]}
`
  const deploy = DEPLOY.replace('{protected: false}', '{policies: [for-dev]}')
  const { diagnostics } = check(text, deploy)
  const lines = text.split('\n')
  const cron = diagnostics.find((one) => one.code === 'SPEC_CRON_INVALID')
  const duration = diagnostics.find((one) => one.code === 'CORE_DURATION_INVALID')
  assert.equal(lines[cron!.at!.line - 1]!.slice(cron!.at!.column - 1).startsWith('"0 25'), true)
  assert.equal(lines[duration!.at!.line - 1]!.slice(duration!.at!.column - 1).startsWith('1 hour'), true)
})

test('overrides take effect in their environment only', () => {
  const text = `${SPEC}    - name: for-dev
      type: override
      properties:
        components:
          - {name: planes-file, properties: {server: {path: nycflights13/few.csv}}}
          - {name: ingest, traits: [{type: trigger, disable: true}]}
          - {name: build, properties: {select: +planes}}
`
  const deploy = DEPLOY.replace('{protected: false}', '{policies: [for-dev]}')
  const dev = check(text, deploy, 'dev')
  const prod = check(text, deploy, 'prod')
  assert.deepEqual([...dev.diagnostics, ...prod.diagnostics], [])
  assert.deepEqual(
    [dev, prod].map(({ spec }) => [
      spec?.inputs[0]?.kind === 'file' && spec.inputs[0].path,
      spec?.ingestions[0]?.trigger?.cron?.schedule,
      spec?.transformations[0]?.select,
    ]),
    [
      ['nycflights13/few.csv', undefined, '+planes'],
      ['nycflights13/planes.csv', '15 4 * * *', ''],
    ],
  )
})

test('the worked example and the sample products have no errors and no warnings', () => {
  const root = join(import.meta.dirname, '../..')
  for (const [folder, domain, product] of [
    ['src/spec/fixtures/patient-encounters', 'clinical-care', 'patient-encounters'],
    ['examples/flights-mesh/fleet/planes', 'fleet', 'planes'],
    ['examples/flights-mesh/clinical-care/encounters', 'clinical-care', 'encounters'],
  ] as const) {
    const read = (name: string) => ({ name, text: readFileSync(join(root, folder, name)) })
    const contract = 'contracts/adt-files.odcs.yaml'
    const { spec, deploy, diagnostics } = validateProduct({
      files: {
        spec: read('data_product_spec.yml'),
        deploy: read('data_product_deploy.yml'),
        contracts: product === 'patient-encounters' ? { [contract]: read(contract).text } : {},
      },
      context: {
        domain,
        product,
        domainOwners: ['owner'],
        environments: ['dev', 'prod'],
        sources: ['nycflights13', 'synthetic-clinical'],
      },
      environment: 'prod',
    })
    assert.deepEqual(diagnostics, [], product)
    assert.ok(spec && deploy)
  }
})

test('an API port with a contract of its own is protected as well', () => {
  const api = `    - name: api
      type: api-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        protocol: rest
        contract: {schema: [{name: planes, properties: [{name: tailnum, logicalType: string, primaryKey: true}, {name: owner_email, logicalType: string, tags: [pii]}]}]}
`
  const { diagnostics } = check(SPEC.replace('  policies:\n', () => `${api}  policies:\n`))
  assert.deepEqual(
    diagnostics.map((one) => one.code),
    ['SPEC_PII_UNMASKED'],
  )
  const inherited = api.replace(/contract: .*/, 'source: planes').replace('[build]', '[planes]')
  assert.deepEqual(check(SPEC.replace('  policies:\n', () => `${inherited}  policies:\n`)).diagnostics, [])
})

test('a missing file is said, whatever else is there', () => {
  const request = requestFor(SPEC)
  const { diagnostics } = validateProduct({ ...request, files: { ...request.files, deploy: null } })
  assert.deepEqual(
    diagnostics.map((one) => [one.code, one.at?.file]),
    [['SPEC_FILE_MISSING', 'data_product_deploy.yml']],
  )
})

test('a metric that there is not is one error, not two', () => {
  const { diagnostics } = check(SPEC.replace('metric: rowCount', 'metric: lines'))
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['SPEC_VALUE_INVALID'],
  )
})

test('a misspelt type of the only port is one error, not two', () => {
  const { diagnostics } = check(SPEC.replace('type: sql-output-port', 'type: sql-outptu-port'))
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error').map(({ code, fix }) => [code, fix]),
    [['SPEC_TYPE_UNKNOWN', 'Did you mean sql-output-port? (heddle validate --fix)']],
  )
})
