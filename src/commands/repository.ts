import type { Command } from '../run/command.ts'
import { scaffoldFiles } from '../spec/scaffold.ts'
import { schemaFiles } from '../spec/schema-files.ts'
import type { CommandDeps } from './deps.ts'

export function repositoryCommands({ repository, templateFiles }: CommandDeps): Command[] {
  return [
    {
      name: 'create-repository',
      async run({ run, log }, args) {
        const { purpose, domainOwners, template } = args as { purpose: string; domainOwners: string[]; template: string }
        const { domain, product, title } = run.product
        const files =
          template === 'standard'
            ? scaffoldFiles({ domain, product, title, owner: run.by, purpose, domainOwners })
            : { ...schemaFiles(), ...(await templateFiles(template)) }
        const made = await repository.ensure({
          product: run.product.id,
          files,
          author: { name: 'Heddle', email: 'heddle@localhost' },
          message: `Scaffold of ${domain}/${product}`,
        })
        log(`${made.created ? 'created' : 'exists'}: ${Object.keys(files).length} files on main`)
        return { head: made.head, outcome: `${Object.keys(files).length} files` }
      },
    },
    {
      name: 'remove-repository',
      async run({ run }) {
        await repository.remove(run.product.id)
        return { outcome: 'gone' }
      },
    },
  ]
}
