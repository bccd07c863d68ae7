import { DEPLOY_SCHEMA, SPEC_SCHEMA } from './schema.ts'

/** The JSON Schemas that editors read through the first line of both files; they work offline. */
export function schemaFiles(): Record<string, string> {
  return {
    '.heddle/schemas/data_product_spec.schema.json': `${JSON.stringify(SPEC_SCHEMA, null, 1)}\n`,
    '.heddle/schemas/data_product_deploy.schema.json': `${JSON.stringify(DEPLOY_SCHEMA, null, 1)}\n`,
  }
}
