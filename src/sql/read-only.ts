/** Words that have no place in a query that only reads; functions that act are named too. Conservative: a column named like one must be quoted. */
const REFUSED = new Set(
  `insert update delete merge truncate create alter drop grant revoke copy call do execute prepare deallocate listen notify unlisten vacuum analyze cluster
reindex refresh lock set reset show begin commit rollback savepoint release declare fetch move close discard checkpoint load into import security comment
pg_sleep pg_sleep_for pg_sleep_until dblink dblink_exec lo_import lo_export pg_read_file pg_read_binary_file pg_ls_dir pg_terminate_backend
pg_cancel_backend set_config current_setting nextval setval query_to_xml query_to_xml_and_xmlschema query_to_xmlschema table_to_xml cursor_to_xml
database_to_xml schema_to_xml pg_advisory_lock pg_advisory_xact_lock pg_logical_emit_message pg_notify pg_reload_conf pg_file_write`.split(
    /\s+/,
  ),
)
const TOKEN = /\s+|"(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|<=|>=|<>|!=|::|\|\||[-+*/%=<>(),.[\]]/y

/**
 * Says why the text is not one read-only SELECT, or null when it is. It knows far less than a database: dollar quotes, comments, escapes (`E'…'`),
 * semicolons and unknown characters are refused rather than understood.
 */
export function checkSelect(sql: string): string | null {
  if (sql.length > 4_000) return 'the query is longer than 4000 characters'
  let at = 0
  let depth = 0
  let first: string | null = null
  let before = ''
  while (at < sql.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(sql)?.[0]
    if (token === undefined) return `the query holds ${JSON.stringify(sql[at])}`
    at = TOKEN.lastIndex
    if (token.trim() === '') continue
    if ((token === '-' && sql[at] === '-') || (token === '/' && sql[at] === '*')) return 'the query holds a comment'
    if (token === '(') depth++
    if (token === ')' && --depth < 0) return 'the query closes a parenthesis it did not open'
    if (token.startsWith("'") && /[A-Za-z_]$/.test(before) && sql[at - token.length - 1] === before.at(-1))
      return "the query holds a prefixed text such as E'…'"
    const word = /^[A-Za-z_]/.test(token) ? token.toLowerCase() : ''
    first ??= word || token
    if (word !== '' && (REFUSED.has(word) || word.startsWith('pg_') || word.startsWith('lo_')))
      return `the query holds the word ${word}`
    before = token
  }
  if (depth !== 0) return 'the query leaves a parenthesis open'
  if (first === null) return 'the query is empty'
  if (first !== 'select' && first !== 'with') return `the query starts with ${first}, not with select`
  return null
}
