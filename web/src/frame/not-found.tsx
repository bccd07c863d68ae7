import { Link } from '@tanstack/react-router'
import { Empty } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import { useCrumbs } from './crumbs.tsx'

export function NotFound() {
  useCrumbs([{ label: 'Not found' }])
  return (
    <Page title="There is no such page" name="Not found">
      <Empty title="The address may be mistyped, or what it named is gone.">
        <p>
          Go to <Link to="/">Home</Link>, <Link to="/catalog">Catalog</Link> or <Link to="/runs">Runs</Link>.
        </p>
      </Empty>
    </Page>
  )
}
