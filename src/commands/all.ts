import type { Command } from '../run/command.ts'
import { accessCommands } from './access.ts'
import { announceCommands } from './announce.ts'
import type { CommandDeps } from './deps.ts'
import { ingest } from './ingest.ts'
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
    ingest(deps),
    transform(deps),
    ...publishCommands(deps),
    ...accessCommands(deps),
    ...retireCommands(deps),
    ...restoreCommands(deps),
  ]
  return new Map(commands.map((command) => [command.name, command]))
}
