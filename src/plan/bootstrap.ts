import { provisionSteps } from './provision.ts'
import type { Plan, Step } from './step.ts'
import { type BootstrapWorld, onlyChanged, planOf, resource } from './world.ts'

/** Everything an approved request builds, the repository with its scaffold last: a clone URL exists only when what it needs does. */
export function planBootstrap(world: BootstrapWorld): Plan {
  const { product, domain } = world
  const address = `${product.domain}/${product.name}`
  const provision = world.environments.flatMap((environment) => provisionSteps(product, domain, environment, []))
  const namespace: Step = {
    id: 'namespace',
    stage: 'monitors',
    command: 'create-namespace',
    address: `${domain.name}#monitors`,
    title: `Monitor namespace of domain ${domain.name}`,
    args: { domain: domain.name },
    dependsOn: [],
    risk: 'safe',
    because: 'monitors of a domain live together',
    resource: resource('namespace', { domain: domain.name }),
  }
  const community: Step = {
    id: 'community',
    stage: 'catalog',
    command: 'create-community',
    address: `${domain.name}#community`,
    title: `Catalog community of domain ${domain.name}`,
    args: { domain: domain.name, title: domain.title },
    dependsOn: [],
    risk: 'safe',
    because: 'products are found by their domain',
    resource: resource('community', { domain: domain.name, title: domain.title }),
  }
  const entry: Step = {
    id: 'entry',
    stage: 'catalog',
    command: 'draft-entry',
    address: `${address}#entry`,
    title: 'Catalog entry, draft',
    args: { domain: domain.name, document: { title: product.title, purpose: world.purpose, owners: domain.owners } },
    dependsOn: [community.id],
    risk: 'safe',
    because: 'the product is announced before it has data',
  }
  const repository: Step = {
    id: 'repository',
    stage: 'repository',
    command: 'create-repository',
    address: `${address}#repository`,
    title: 'Repository with a scaffold that deploys as it is',
    args: { purpose: world.purpose, domainOwners: domain.owners, template: world.template },
    dependsOn: [...provision.map((step) => step.id), namespace.id, entry.id],
    risk: 'safe',
    because: 'a push to main is how the product is deployed',
    resource: resource('repository', { product: product.id }),
  }
  return planOf(world, onlyChanged(world.inventory, [...provision, namespace, community, entry, repository]), [])
}

/** Takes back what the finished steps of a bootstrap made, last first. Shared things (budget, namespace, community) stay: other products may use them. */
export function planUndoBootstrap(world: { product: BootstrapWorld['product']; finished: readonly Step[] }): Plan {
  const place = { id: world.product.id, domain: world.product.domain, product: world.product.name }
  const address = `${place.domain}/${place.product}`
  const undo = (id: string, stage: Step['stage'], command: string, title: string, args: Record<string, unknown>): Step => ({
    id: `undo-${id}`,
    stage,
    command,
    address: `${address}#${id}`,
    title,
    args,
    dependsOn: [],
    risk: 'destructive',
    because: 'the request is undone',
  })
  const steps = world.finished.toReversed().flatMap((step): Step[] => {
    const environment = step.args.environment
    switch (step.command) {
      case 'create-repository':
        return [undo(step.id, 'repository', 'remove-repository', 'Remove the repository', {})]
      case 'draft-entry':
        return [undo(step.id, 'catalog', 'remove-entry', 'Remove the catalog entry', {})]
      case 'provision-schemas':
        return [undo(step.id, 'provision', 'remove-schemas', `Drop the empty schemas in ${environment}`, { environment, place })]
      case 'provision-roles':
        return [undo(step.id, 'provision', 'remove-roles', `Drop the roles in ${environment}`, { environment, place })]
      default:
        return []
    }
  })
  const forget = undo('product', 'release', 'forget-product', 'Give the name back', {})
  const chained = [...steps, forget].map((step, index, all) => ({ ...step, dependsOn: index > 0 ? [all[index - 1]!.id] : [] }))
  return planOf(world, chained, [])
}
