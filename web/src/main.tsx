import '@mantine/core/styles/baseline.css'
import '@mantine/core/styles/global.css'
import '@mantine/core/styles/UnstyledButton.css'
import '@mantine/core/styles/Loader.css'
import '@mantine/core/styles/Button.css'
import '@mantine/core/styles/ActionIcon.css'
import '@mantine/core/styles/Input.css'
import '@mantine/core/styles/FloatingIndicator.css'
import '@mantine/core/styles/SegmentedControl.css'
import './theme/tokens.css'
import './theme/base.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { call } from './api/call.ts'
import type { Failure } from './api/failure.ts'
import { createLive, LiveContext } from './frame/live.tsx'
import { router } from './router.tsx'
import { applyScheme, followSystem, readScheme } from './theme/scheme.ts'
import { theme } from './theme/theme.tsx'

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: Failure
  }
}

void start()

async function start(): Promise<void> {
  applyScheme(readScheme())
  followSystem()
  reloadOnceWhenOutdated()
  await signInOnce()
  createRoot(document.getElementById('root')!).render(
    <QueryClientProvider client={createQueries()}>
      {/* The colour scheme is ours (theme/scheme.ts) and the variables are a file (theme/tokens.css): the provider writes no style tag. */}
      <MantineProvider theme={theme} getRootElement={() => undefined} withCssVariables={false} withGlobalClasses={false}>
        <LiveContext value={createLive()}>
          <RouterProvider router={router} />
        </LiveContext>
      </MantineProvider>
    </QueryClientProvider>,
  )
}

function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // A refusal stays a refusal; only a lost connection or a failing server is worth asking again.
      queries: {
        staleTime: 2_000,
        retry: (failures, failure) => failures < 1 && (failure.status === 0 || failure.status >= 500),
        retryDelay: 800,
      },
      mutations: { retry: false },
    },
  })
}

/** `/?once=TOKEN` signs in, then leaves the address: it is not kept in the history nor sent on. */
async function signInOnce(): Promise<void> {
  const address = new URL(location.href)
  const once = address.searchParams.get('once')
  if (!once) return
  address.searchParams.delete('once')
  await call('/login', { method: 'POST', body: { once } }).catch(() => address.searchParams.set('stale', '1'))
  history.replaceState(null, '', address.pathname + address.search + address.hash)
}

/** After an upgrade an open page asks for parts that are gone: load the new portal, once. */
function reloadOnceWhenOutdated(): void {
  addEventListener('vite:preloadError', (event) => {
    if (sessionStorage.getItem('heddle-reloaded')) return
    sessionStorage.setItem('heddle-reloaded', '1')
    event.preventDefault()
    location.reload()
  })
  addEventListener('load', () => setTimeout(() => sessionStorage.removeItem('heddle-reloaded'), 10_000))
}
