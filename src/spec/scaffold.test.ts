import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { generateSources } from './generate-sources.ts'
import { scaffoldFiles } from './scaffold.ts'
import { validateProduct } from './validate.ts'

const REQUEST = {
  domain: 'clinical-care',
  product: 'my-orders',
  title: 'My "orders": yes #1',
  owner: 'dana',
  purpose: "To: see {what}\u202e '# happens",
  domainOwners: ['owner'],
}

test('the scaffold has no errors and no warnings, whatever title and purpose', () => {
  const files = scaffoldFiles(REQUEST)
  const spec = files['data_product_spec.yml']!
  const deploy = files['data_product_deploy.yml']!
  const result = validateProduct({
    files: {
      spec: { name: 'data_product_spec.yml', text: spec },
      deploy: { name: 'data_product_deploy.yml', text: deploy },
      contracts: {},
    },
    context: {
      domain: REQUEST.domain,
      product: REQUEST.product,
      domainOwners: REQUEST.domainOwners,
      environments: ['dev', 'prod'],
      sources: [],
    },
    environment: 'prod',
  })
  assert.deepEqual(result.diagnostics, [])
  assert.equal(result.spec?.title, REQUEST.title)
  assert.ok(spec.split('\n').length <= 61)
  assert.equal(deploy.trimEnd().split('\n').length, 8)
  assert.equal(result.spec?.outputs[0]?.objects[0]?.from, 'example')
  assert.ok(files['dbt/models/example.sql'])
  assert.equal(parse(files['dbt/dbt_project.yml']!).name, 'clinical_care_my_orders')
  for (const path of Object.keys(files)) assert.match(path, /^[A-Za-z0-9._/-]+$/)
})

test('the generated sources of the samples are up to date', () => {
  for (const [domain, product] of [
    ['fleet', 'planes'],
    ['clinical-care', 'encounters'],
  ] as const) {
    const folder = join(import.meta.dirname, '../../examples/flights-mesh', domain, product)
    const read = (name: string) => ({ name, text: readFileSync(join(folder, name)) })
    const { spec } = validateProduct({
      files: { spec: read('data_product_spec.yml'), deploy: read('data_product_deploy.yml'), contracts: {} },
      context: { domain, product, domainOwners: ['owner'], environments: null, sources: null },
      environment: null,
    })
    assert.equal(readFileSync(join(folder, 'dbt/models/sources.yml'), 'utf8'), generateSources(spec!))
  }
})

test('an upstream product is a source of its own name', () => {
  const folder = join(import.meta.dirname, 'fixtures/patient-encounters')
  const read = (name: string) => ({ name, text: readFileSync(join(folder, name)) })
  const contract = 'contracts/adt-files.odcs.yaml'
  const { spec } = validateProduct({
    files: {
      spec: read('data_product_spec.yml'),
      deploy: read('data_product_deploy.yml'),
      contracts: { [contract]: read(contract).text },
    },
    context: { domain: 'clinical-care', product: 'patient-encounters', domainOwners: [], environments: null, sources: null },
    environment: null,
  })
  const { sources } = parse(generateSources(spec!))
  assert.deepEqual(
    sources.map((source: { name: string; tables: { name: string; identifier?: string }[] }) => [
      source.name,
      source.tables.map((table) => table.identifier ?? table.name),
    ]),
    [
      ['staging', ['adt_message', 'encounter', 'facility', 'appointment']],
      ['patient_master', ['patient_master__patient']],
    ],
  )
})
