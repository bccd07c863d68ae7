import type { OutputPort } from '../spec/types.ts'
import type { Step } from './step.ts'
import { type DomainFacts, type PlannedProduct, resource } from './world.ts'

/** What a product needs in one environment before data can move: the domain's budget, roles, schemas, one read role per port and major. */
export function provisionSteps(
  product: PlannedProduct,
  domain: DomainFacts,
  environment: string,
  outputs: readonly OutputPort[],
): Step[] {
  const place = { id: product.id, domain: product.domain, product: product.name }
  const address = `${product.domain}/${product.name}`
  const at = `@${environment}`
  const budget: Step = {
    id: `budget${at}`,
    stage: 'provision',
    command: 'provision-budget',
    address: `${domain.name}#budget`,
    title: `Budget of domain ${domain.name} in ${environment}`,
    args: { environment, domain: domain.name, budget: domain.budget },
    dependsOn: [],
    risk: 'safe',
    because: 'the products of a domain share its compute',
    resource: resource('budget', { domain: domain.name, budget: domain.budget }),
  }
  const roles: Step = {
    id: `roles${at}`,
    stage: 'provision',
    command: 'provision-roles',
    address: `${address}#roles`,
    title: `Roles consumer, service, owner in ${environment}`,
    args: { environment, place, owners: domain.owners },
    dependsOn: [budget.id],
    risk: 'safe',
    because: 'each product has its own three roles',
    resource: resource('roles', { place, owners: domain.owners, budget: domain.budget }),
  }
  const schemas: Step = {
    id: `schemas${at}`,
    stage: 'provision',
    command: 'provision-schemas',
    address: `${address}#schemas`,
    title: `Private and build schema in ${environment}`,
    args: { environment, place },
    dependsOn: [roles.id],
    risk: 'safe',
    because: 'dbt always builds in one place of its own',
    resource: resource('schemas', { place }),
  }
  const ports: Step[] = outputs
    .filter((output) => output.kind === 'sql')
    .map((output) => ({
      id: `port-${output.port}-v${output.major}${at}`,
      stage: 'provision',
      command: 'provision-port',
      address: `${address}/${output.port}@v${output.major}`,
      title: `Read role of port ${output.port} v${output.major}`,
      args: { environment, at: { place, port: output.port, major: output.major } },
      dependsOn: [roles.id],
      risk: 'safe',
      because: 'consumers are granted one port and major at a time',
      resource: resource('port', { place, port: output.port, major: output.major }),
    }))
  return [budget, roles, schemas, ...ports]
}
