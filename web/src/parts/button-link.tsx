import { Button } from '@mantine/core'
import { Link, type LinkProps } from '@tanstack/react-router'

/** A link that looks like what it is used as: the one filled button of the page, a bordered one, or a quiet one in a row. */
export function ButtonLink({
  children,
  row = false,
  filled = false,
  label,
  ...link
}: Pick<LinkProps, 'to' | 'params' | 'search'> & { children: React.ReactNode; row?: boolean; filled?: boolean; label?: string }) {
  const target = link as unknown as { href: string }
  return (
    <Button
      component={Link as unknown as 'a'}
      {...target}
      size={row ? 'xs' : 'sm'}
      variant={filled ? 'filled' : row ? 'quiet' : 'default'}
      miw={row ? 92 : undefined}
    >
      {children}
      {label ? <span className="sr-only"> {label}</span> : null}
    </Button>
  )
}
