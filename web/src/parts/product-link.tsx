import { Link } from '@tanstack/react-router'
import parts from './parts.module.css'

export function ProductLink({ address }: { address: string }) {
  const [domain = '', name = ''] = address.split('/')
  return (
    <Link to="/p/$domain/$name" params={{ domain, name }} className={parts.name}>
      {address}
    </Link>
  )
}
