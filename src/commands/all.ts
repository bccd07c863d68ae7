import type { Command } from '../run/command.ts'
import { accessCommands } from './access.ts'
import { announceCommands } from './announce.ts'
import type { CommandDeps } from './deps.ts'
import { ingest } from './ingest.ts'
import { inputCommands } from './pin-inputs.ts'
import { productAccessCommands } from './product-access.ts'
import { provisionCommands } from './provision.ts'
import { publishCommands } from './publish.ts'
import { repositoryCommands } from './repository.ts'
import { restoreCommands } from './restore.ts'
import { retireCommands } from './retire.ts'
import { transform } from './transform.ts'

/** Every command by its name; plans name no other. */
export function allCommands(deps: CommandDeps): ReadonlyMap<string, Command> {
  const commands = [
    ...provisionCommands(deps),
    ...announceCommands(deps),
    ...repositoryCommands(deps),
    ...inputCommands(deps),
    ingest(deps),
    transform(deps),
    ...publishCommands(deps),
    ...accessCommands(deps),
    ...retireCommands(deps),
    ...restoreCommands(deps),
    ...productAccessCommands(deps),
  ]
  return new Map(commands.map((command) => [command.name, command]))
}
