export type ServerSettings = { listen: number; sharedBuffersMb: number; maxConnections: number; durable: boolean }

/** `pg_hba.conf`: password only, loopback only, no replication, no Unix socket. */
export const HBA = 'host all all 127.0.0.1/32 scram-sha-256\n'

/** `postgresql.conf`, the whole of it: what is not here has PostgreSQL's default. */
export function renderSettings(settings: ServerSettings): string {
  const lines: [string, string | number][] = [
    ['listen_addresses', "'127.0.0.1'"],
    ['port', settings.listen],
    ['unix_socket_directories', "''"],
    ['max_connections', settings.maxConnections],
    ['superuser_reserved_connections', 5],
    ['password_encryption', "'scram-sha-256'"],
    ['cluster_name', "'heddle'"],
    ['shared_buffers', `'${settings.sharedBuffersMb}MB'`],
    ['huge_pages', 'off'],
    ['max_wal_size', "'512MB'"],
    ['wal_level', 'replica'],
    // without LLVM in the package jit has no effect but cost
    ['jit', 'off'],
    ['shared_preload_libraries', "'pg_stat_statements'"],
    ['pg_stat_statements.track', 'all'],
    // utility statements can carry passwords
    ['pg_stat_statements.track_utility', 'off'],
    // a killed client's query must not run on
    ['client_connection_check_interval', "'2s'"],
    ['tcp_keepalives_idle', 60],
    ['idle_in_transaction_session_timeout', "'10min'"],
    ['timezone', "'UTC'"],
    ['datestyle', "'iso, ymd'"],
    ['lc_messages', "'C'"],
    ['default_text_search_config', "'pg_catalog.english'"],
    // No row values in the log: errors and warnings quote them, so only LOG, FATAL and PANIC are written, without DETAIL.
    ['log_destination', "'stderr'"],
    ['log_min_messages', 'log'],
    ['log_min_error_statement', 'panic'],
    ['log_error_verbosity', 'terse'],
    ['log_statement', 'none'],
    ['log_parameter_max_length', 0],
    ['log_parameter_max_length_on_error', 0],
    ['log_checkpoints', 'off'],
    ['log_timezone', "'UTC'"],
    ['log_line_prefix', "'%m [%p] %q%u@%d '"],
  ]
  if (!settings.durable) lines.push(['fsync', 'off'], ['synchronous_commit', 'off'], ['full_page_writes', 'off'])
  return `# Written by Heddle at every start; changes here are lost.\n${lines.map(([name, value]) => `${name} = ${value}\n`).join('')}`
}
