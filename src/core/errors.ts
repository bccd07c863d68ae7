/**
 * Every error a user can meet, one row each. `docs/errors.md` is generated from this table and a test keeps both equal.
 * Summary is stable and free of user names; remedy says what to do in general, the raised error adds names and values.
 * `rule` is the id of the validation rule in the spec language reference, where there is one.
 */
export type ErrorRow = { status: number; summary: string; remedy: string; rule?: string }

export const ERRORS = {
  // --- core
  INTERNAL_UNEXPECTED: {
    status: 500,
    summary: 'Something failed that should not',
    remedy: 'Look in the log for the request id; run `heddle doctor`.',
  },
  CORE_DURATION_INVALID: {
    status: 422,
    summary: 'Not a duration',
    remedy: 'Write a whole number and a unit without a space: 15m, 24h, 90d.',
    rule: 'TIM02',
  },
  CORE_NAME_INVALID: {
    status: 422,
    summary: 'Not a valid name',
    remedy: 'Use lower-case letters, digits and single hyphens, at most 63 characters, starting with a letter.',
    rule: 'REF02',
  },
  CORE_ADDRESS_INVALID: { status: 422, summary: 'Not an address', remedy: 'Write domain/product, or domain/product/port.' },
  // --- spec
  SPEC_FILE_REFUSED: {
    status: 422,
    summary: 'The spec is not valid',
    remedy: 'Repair the named places; `heddle validate` shows them without a push.',
  },
  SPEC_FILE_MISSING: { status: 422, summary: 'A file of the product is missing', remedy: 'Add the file to the repository.' },
  SPEC_FILE_TOO_LARGE: { status: 422, summary: 'The file is too large', remedy: 'Keep a spec below 256 kB.' },
  SPEC_FILE_UNREADABLE: {
    status: 422,
    summary: 'The file is not readable text',
    remedy: 'Save the file as UTF-8 without control characters.',
  },
  SPEC_TEXT_INVISIBLE: {
    status: 422,
    summary: 'The text holds an invisible character',
    remedy: 'Delete the character: it can make text read differently from what it says.',
  },
  SPEC_YAML_INVALID: { status: 422, summary: 'The file is not valid YAML', remedy: 'Correct the YAML at the given line.' },
  SPEC_YAML_EXCESSIVE: { status: 422, summary: 'The file is built to be too big', remedy: 'Write it flatter or shorter.' },
  SPEC_YAML_UNSUPPORTED: {
    status: 422,
    summary: 'A YAML feature that is not read here',
    remedy: 'Write plain YAML 1.2: no tags, directives, merge keys or second documents.',
  },
  SPEC_KEY_DUPLICATE: { status: 422, summary: 'A key is set twice', remedy: 'Keep one of them.', rule: 'LNT01' },
  SPEC_YAML_AMBIGUOUS: {
    status: 422,
    summary: 'Other YAML readers take this for something else',
    remedy: 'Put the value in quotes.',
    rule: 'LNT01',
  },
  SPEC_KEY_UNKNOWN: { status: 422, summary: 'Unknown key', remedy: 'Use one of the keys of the schema.', rule: 'LNT01' },
  SPEC_KEY_MISSING: { status: 422, summary: 'A required key is missing', remedy: 'Add the key.' },
  SPEC_KEY_DEPRECATED: { status: 422, summary: 'A key that is going away', remedy: 'Use the replacement.', rule: 'LNT01' },
  SPEC_VALUE_INVALID: { status: 422, summary: 'The value has the wrong form', remedy: 'Write a value the schema allows.' },
  SPEC_METADATA_MISMATCH: {
    status: 422,
    summary: 'The spec belongs to another product',
    remedy: 'metadata.namespace is the domain and metadata.name the product of this repository.',
  },
  SPEC_REFERENCE_UNKNOWN: { status: 422, summary: 'A name that nothing declares', remedy: 'Use a declared name.', rule: 'REF01' },
  SPEC_NAME_DUPLICATE: { status: 422, summary: 'Two things have one name', remedy: 'Rename one of them.', rule: 'REF02' },
  SPEC_NAME_RESERVED: {
    status: 422,
    summary: 'The name is a reserved word of SQL',
    remedy: 'Choose another name.',
    rule: 'REF02',
  },
  SPEC_TYPE_UNKNOWN: { status: 422, summary: 'Unknown type', remedy: 'Use a type that has a definition.', rule: 'REF03' },
  SPEC_TRAIT_MISPLACED: {
    status: 422,
    summary: 'The trait does not belong here',
    remedy: 'Move the trait to a component of a type that allows it, once.',
    rule: 'REF03',
  },
  SPEC_COMPONENT_CYCLE: {
    status: 422,
    summary: 'Components depend on each other in a circle',
    remedy: 'Remove one dependsOn of the circle.',
    rule: 'DAG01',
  },
  SPEC_COMPONENT_UNUSED: {
    status: 422,
    summary: 'Nothing uses this component',
    remedy: 'Connect it or remove it.',
    rule: 'DAG01',
  },
  SPEC_QUALITY_INVALID: {
    status: 422,
    summary: 'The quality rule cannot be checked',
    remedy: 'Correct the rule.',
    rule: 'CON05',
  },
  SPEC_OBJECT_KEYLESS: {
    status: 422,
    summary: 'The table has no proper key',
    remedy: 'Mark the key column with primaryKey: true and required: true.',
    rule: 'CON06',
  },
  SPEC_VERSION_OPEN: {
    status: 422,
    summary: 'The version range is open',
    remedy: 'Write a range such as "^1.2.0".',
    rule: 'CON06',
  },
  SPEC_CONTRACT_COUNT: {
    status: 422,
    summary: 'A port needs exactly one contract',
    remedy: 'Give an output port contract or contractRef, not both; an input port at most one.',
    rule: 'CON07',
  },
  SPEC_CRON_INVALID: {
    status: 422,
    summary: 'The schedule never fires or cannot be read',
    remedy: 'Write five fields: minute hour day month weekday, for example "15 4 * * *".',
    rule: 'TIM01',
  },
  SPEC_CRON_RISKY: {
    status: 422,
    summary: 'The schedule is skipped or doubled on some days',
    remedy: 'Choose another hour, or UTC.',
    rule: 'TIM01',
  },
  SPEC_ZONE_UNKNOWN: {
    status: 422,
    summary: 'Unknown time zone',
    remedy: 'Use an IANA name such as Europe/Vienna.',
    rule: 'TIM01',
  },
  SPEC_DURATION_ORDER: {
    status: 422,
    summary: 'The durations contradict each other',
    remedy: 'Correct one of the two.',
    rule: 'TIM02',
  },
  SPEC_SLO_INVALID: {
    status: 422,
    summary: 'The service level cannot be measured',
    remedy: 'Correct the service level.',
    rule: 'SLO01',
  },
  SPEC_SLO_FRAGILE: {
    status: 422,
    summary: 'The service level breaks at the first miss or is rarely measurable',
    remedy: 'Lower the target or lengthen the window.',
    rule: 'SLO02',
  },
  SPEC_SLO_MISSING: {
    status: 422,
    summary: 'A port lacks a basic service level',
    remedy: 'Add the trait service-level with availability, completeness and freshness.',
    rule: 'SLO03',
  },
  SPEC_ALERT_UNHEARD: {
    status: 422,
    summary: 'The alert reaches nobody',
    remedy: 'Name a receiver of the policy alert-receivers.',
    rule: 'SLO03',
  },
  SPEC_PII_UNMASKED: {
    status: 422,
    summary: 'Consumers could read personal data',
    remedy: 'Add a mask (or, where allowed, a row filter) to the trait data-policy of the port.',
    rule: 'SEC01',
  },
  SPEC_PII_UNTAGGED: {
    status: 422,
    summary: 'The column looks like personal data but is not tagged',
    remedy: 'Add tags: [pii], or tags: [not-pii] when it is none.',
    rule: 'SEC01',
  },
  SPEC_COLUMN_UNSERVED: {
    status: 422,
    summary: 'A column that is built and not served',
    remedy: 'Run `heddle validate --fix`, or write `meta: {served: false}` at the column in the .yml of the model.',
    rule: 'CON03',
  },
  SPEC_MASK_INVALID: {
    status: 422,
    summary: 'The mask cannot be applied',
    remedy: 'Choose a method that fits the column.',
    rule: 'SEC03',
  },
  SPEC_ROLE_INVALID: {
    status: 422,
    summary: 'The three roles are not right',
    remedy: 'Consumer reads output ports, service writes, owner administers; one of each.',
    rule: 'SEC04',
  },
  SPEC_SECRET_LITERAL: {
    status: 422,
    summary: 'A secret stands in the file',
    remedy: 'Change the secret, store it with `heddle secret set NAME` and refer to it by name.',
    rule: 'SEC05',
  },
  SPEC_SECRET_UNDECLARED: {
    status: 422,
    summary: 'A secret has no entry in the deploy file',
    remedy: 'Add the name under secrets: of data_product_deploy.yml.',
    rule: 'SEC05',
  },
  SPEC_OFFER_MISSING: {
    status: 422,
    summary: 'Sensitive data without terms',
    remedy: 'Add a policy data-sharing-agreement that selects the port.',
    rule: 'DSA01',
  },
  SPEC_OFFER_INCOMPLETE: {
    status: 422,
    summary: 'The offer lacks a term',
    remedy: 'Complete the policy data-sharing-agreement.',
    rule: 'DSA01',
  },
  SPEC_OFFER_IDENTIFYING: {
    status: 422,
    summary: 'A limited data set holds direct identifiers',
    remedy: 'Mask the column for every consumer, or change the legal basis.',
    rule: 'DSA02',
  },
  SPEC_METADATA_INCOMPLETE: {
    status: 422,
    summary: 'The catalog entry lacks something',
    remedy: 'Complete the policy data-product.',
    rule: 'META01',
  },
  SPEC_VERSION_INVALID: {
    status: 422,
    summary: 'Not a version',
    remedy: 'Write a quoted semantic version: "1.2.0".',
    rule: 'META01',
  },
  SPEC_OVERRIDE_FORBIDDEN: {
    status: 422,
    summary: 'An override may not change this',
    remedy: 'Contracts, types, names and protection are the same in every environment.',
    rule: 'ENV01',
  },
  SPEC_ENVIRONMENT_INVALID: {
    status: 422,
    summary: 'The environment cannot be deployed to',
    remedy: 'Correct the environment.',
    rule: 'ENV02',
  },
  SPEC_CHECK_TIMEOUT: { status: 422, summary: 'Checking the spec took too long', remedy: 'Make the spec smaller or flatter.' },
  // --- policy
  SQL_NAME_INVALID: { status: 422, summary: 'Not a name SQL can hold', remedy: 'Use 1 to 63 bytes without NUL.', rule: 'REF02' },
  SQL_LITERAL_INVALID: { status: 422, summary: 'Not a value SQL can hold', remedy: 'Use text without NUL, or a finite number.' },
  POLICY_MASK_INVALID: {
    status: 422,
    summary: 'The mask cannot be rendered',
    remedy: 'Choose a method that fits the column.',
    rule: 'SEC03',
  },
  POLICY_FILTER_INVALID: {
    status: 422,
    summary: 'The row filter cannot be read',
    remedy:
      "Write a condition over columns and the reader's attributes: facility_id in subject.facility_ids and status = 'open'.",
    rule: 'SEC03',
  },
  // --- platform
  STORE_SCHEMA_NEWER: {
    status: 500,
    summary: 'The data directory was written by a newer version',
    remedy: 'Start the newer version, or choose another data directory with --data.',
  },
  PLATFORM_RESOURCE_FOREIGN: {
    status: 409,
    summary: 'The object exists but is not managed here',
    remedy: 'Choose another name, or have the platform team adopt the object.',
  },
  // --- warehouse
  WAREHOUSE_FENCE_STALE: {
    status: 409,
    summary: 'Another worker has taken over this run',
    remedy: 'Nothing to do: the other worker finishes it.',
  },
  WAREHOUSE_UNREACHABLE: {
    status: 503,
    summary: 'The warehouse does not answer',
    remedy: 'Run `heddle doctor`; the step is tried again when the database is back.',
  },
  WAREHOUSE_NOT_INITIALISED: {
    status: 503,
    summary: 'The environment is not set up',
    remedy: 'Start Heddle again, or run the documented superuser step on this database.',
  },
  WAREHOUSE_ACCESS_DENIED: {
    status: 403,
    summary: 'The warehouse refused access',
    remedy: 'Reconcile the product, or ask for a grant on what is read.',
  },
  WAREHOUSE_BUSY: {
    status: 503,
    summary: 'Another session holds what must change',
    remedy: 'Try again; end the session that holds it if it stays.',
  },
  WAREHOUSE_CANCELLED: {
    status: 409,
    summary: 'The work in the warehouse was cancelled',
    remedy: 'Run it again when you want it.',
  },
  WAREHOUSE_STATEMENT_FAILED: {
    status: 500,
    summary: 'The warehouse refused a statement',
    remedy: 'Look in the log for the SQLSTATE; run `heddle doctor`.',
  },
  WAREHOUSE_OBJECT_MISSING: {
    status: 409,
    summary: 'Something this needs is not in the warehouse',
    remedy: 'Reconcile the product first: deploy it again.',
  },
  WAREHOUSE_OBJECT_USED: {
    status: 409,
    summary: 'Something else stands on what should go',
    remedy: 'Drop the object that depends on it, then try again.',
  },
  WAREHOUSE_SESSION_REMAINS: {
    status: 500,
    summary: 'A session could not be ended',
    remedy: 'End it as a superuser, then try again.',
  },
  WAREHOUSE_BATCH_INVALID: {
    status: 422,
    summary: 'A row of the source does not fit its columns',
    remedy: 'Correct the line in the source, or the type of the column in the contract.',
  },
  WAREHOUSE_TYPE_INVALID: {
    status: 422,
    summary: 'Not a column type of this warehouse',
    remedy: 'Use a built-in PostgreSQL type: text, integer, numeric(10,2), date, timestamptz.',
  },
  WAREHOUSE_SOURCE_INVALID: {
    status: 422,
    summary: 'Not a source this product may read',
    remedy: 'Name a sealed batch of the product, or a served object of a port it has an agreement for.',
  },
  WAREHOUSE_COLUMN_MISSING: {
    status: 422,
    summary: 'A served column is not in the revision',
    remedy: 'Add the column to the model, or take it out of the contract.',
  },
  WAREHOUSE_SERVED_DEPENDS: {
    status: 500,
    summary: 'A served view reads something outside its revision',
    remedy: 'Report this: the platform made the view.',
  },
  WAREHOUSE_SUBJECT_UNKNOWN: {
    status: 404,
    summary: 'The subject has no login here',
    remedy: 'Grant the subject access first.',
  },
  VERIFY_PORT_MISSING: {
    status: 422,
    summary: 'A model of the port was not built',
    remedy: 'Add the dbt model, or name the right one with `from:`.',
  },
  VERIFY_PORT_NOT_A_TABLE: {
    status: 422,
    summary: 'A port object is not a table',
    remedy: "Set materialized='table' (or incremental) on the model.",
  },
  VERIFY_COLUMN_MISSING: {
    status: 422,
    summary: 'A column of the contract was not built',
    remedy: 'Select the column in the model, or take it out of the contract.',
  },
  VERIFY_COLUMN_TYPE: {
    status: 422,
    summary: 'A column has another type than the contract says',
    remedy: 'Cast the column in the model, or correct the type in the contract.',
  },
  VERIFY_FOREIGN_OBJECT: {
    status: 422,
    summary: 'The build made something other than tables and views',
    remedy: 'Take it out of the dbt project: only tables and views are kept.',
  },
  VERIFY_OWNED_ELSEWHERE: {
    status: 422,
    summary: 'The build schema holds an object of somebody else',
    remedy: 'Drop the object; only the run may write there.',
  },
  VERIFY_DEFAULT_PRIVILEGES: {
    status: 422,
    summary: 'The build changed default privileges',
    remedy: 'Take ALTER DEFAULT PRIVILEGES out of the dbt project.',
  },
  VERIFY_ROLE_SETTING: {
    status: 422,
    summary: 'The build stored a setting on its login',
    remedy: 'Take ALTER ROLE … SET out of the dbt project.',
  },
  VERIFY_UNLOGGED: {
    status: 422,
    summary: 'A table would be empty after a crash',
    remedy: 'Take `unlogged: true` off the model.',
  },
  VERIFY_TRIGGER: { status: 422, summary: 'A built table has a trigger', remedy: 'Take the trigger out of the dbt project.' },
  VERIFY_RULE: { status: 422, summary: 'A built table has a rule', remedy: 'Take CREATE RULE out of the dbt project.' },
  VERIFY_RLS: {
    status: 422,
    summary: 'A built table has row policies of its own',
    remedy: 'Write the row filter in the spec (data-policy); take the policy out of the dbt project.',
  },
  VERIFY_DEFAULT: {
    status: 422,
    summary: 'A built column has a default or is computed',
    remedy: 'Compute the value in the model and build a plain column.',
  },
  VERIFY_COLUMN_TYPE_OWN: {
    status: 422,
    summary: 'A built column has a type or collation of its own',
    remedy: 'Cast the column to a built-in type and collation in the model.',
  },
  VERIFY_CONSTRAINT: {
    status: 422,
    summary: 'A built table has a constraint that is not kept',
    remedy: 'Keep primary key, unique and not null; write checks and references as dbt tests.',
  },
  VERIFY_INHERITANCE: {
    status: 422,
    summary: 'A built table inherits or is a partition',
    remedy: 'Build an ordinary table.',
  },
  VERIFY_INDEX_EXPRESSION: {
    status: 422,
    summary: 'An index has an expression, a predicate or an own operator class',
    remedy: 'Index plain columns.',
  },
  VERIFY_GRANTED: {
    status: 422,
    summary: 'The build granted access',
    remedy: 'Take `grants:` and GRANT hooks out of the dbt project; access comes from agreements.',
  },
  VERIFY_SESSION_OPEN: {
    status: 409,
    summary: 'The service login is still in',
    remedy: 'Run it again; the platform ends the session first.',
  },
  VERIFY_VALUE_MISSING: {
    status: 422,
    summary: 'A required column has empty values',
    remedy: 'Fill or filter the rows in the model, or drop `required` from the contract.',
  },
  VERIFY_VALUE_DUPLICATE: {
    status: 422,
    summary: 'A unique column has repeated values',
    remedy: 'Remove the duplicates in the model, or drop the promise from the contract.',
  },
  VERIFY_QUALITY_FAILED: {
    status: 422,
    summary: 'A quality rule of the contract is not met',
    remedy: 'Correct the data or the rule.',
  },
  VERIFY_QUALITY_BROKEN: {
    status: 422,
    summary: 'A quality rule could not be measured',
    remedy: 'Write one read-only SELECT on ${object} that gives one number.',
  },
  WAREHOUSE_EXPORT_INCOMPLETE: {
    status: 500,
    summary: 'What was read is not what was sealed',
    remedy: 'Nothing was removed. Look for policies or grants that somebody changed on the named table, then retry the run.',
  },
  // --- archive, retire, restore
  ARCHIVE_WRITE_FAILED: {
    status: 507,
    summary: 'The archive could not be written',
    remedy: 'Nothing was removed. Make room or repair the folder, then `heddle retry` the run.',
  },
  ARCHIVE_DAMAGED: {
    status: 500,
    summary: 'The archive is not what was written',
    remedy: 'Bring the named file back from a backup; nothing is removed and nothing is restored meanwhile.',
  },
  ARCHIVE_MISSING: { status: 404, summary: 'There is no such archive', remedy: 'Bring its folder back from a backup.' },
  ARCHIVE_EXISTS: { status: 409, summary: 'A complete archive has that name', remedy: 'Use it, or move it away.' },
  RETIRE_CONSUMERS_ACTIVE: {
    status: 409,
    summary: 'The product still has consumers',
    remedy: 'End their agreements first: `heddle access revoke`.',
  },
  RETIRE_PRODUCTS_READ: {
    status: 409,
    summary: 'Other products read this one',
    remedy: 'Release the named products without this input first, or retire them.',
  },
  RETIRE_STILL_READ: {
    status: 409,
    summary: 'The product is still being read',
    remedy: 'Ask its readers first: `heddle usage` shows who they are to its owners.',
  },
  RETIRE_STATE_WRONG: {
    status: 409,
    summary: 'The product is not in a state to be retired or restored',
    remedy: 'Look at it with `heddle show`.',
  },
  RETIRE_RUN_REMAINS: {
    status: 409,
    summary: 'A run of the product does not end',
    remedy: 'Look at it with `heddle logs`, cancel it, then retry.',
  },
  RETIRE_SOURCE_CHANGED: {
    status: 409,
    summary: 'The product has changed since it was archived',
    remedy: 'Nothing was removed. Ask again: `heddle retire`.',
  },
  RETIRE_TOO_MUCH: {
    status: 409,
    summary: 'More would be removed than one retirement may',
    remedy: 'Have the platform team look at the product before anything is removed.',
  },
  RETIRE_REMAINS: {
    status: 500,
    summary: 'Something of the retired product is still there',
    remedy: 'Remove what is named, then `heddle retry` the run: the certificate is asked anew.',
  },
  RESTORE_DIFFERS: {
    status: 500,
    summary: 'What was restored is not what was archived',
    remedy: 'Nothing is served. Look at the named table, then retry the run.',
  },
  PRODUCT_RETIRED: {
    status: 410,
    summary: 'The product is retired',
    remedy: 'Bring it back with `heddle restore`.',
  },
  PRODUCT_RETIRING: {
    status: 409,
    summary: 'The product is being retired or restored',
    remedy: 'Wait for that run to end; `heddle runs` shows it.',
  },
  // --- ingestion
  INGEST_SOURCE_UNKNOWN: {
    status: 422,
    summary: 'The source is not known to the mesh',
    remedy: 'Use a source that mesh.yml names for your domain.',
  },
  INGEST_SOURCE_FORBIDDEN: {
    status: 403,
    summary: 'The source is not open to this domain',
    remedy: 'Ask the platform team to add your domain to the source.',
  },
  INGEST_SOURCE_UNREADABLE: {
    status: 502,
    summary: 'The source cannot be read',
    remedy: 'Repair the source, then retry the run; what is served stays.',
  },
  INGEST_SOURCE_UNSUPPORTED: {
    status: 422,
    summary: 'No adapter here reads this kind of source',
    remedy: 'Use a file-input-port, or have the platform team connect an adapter.',
  },
  INGEST_COLUMNS_CHANGED: {
    status: 422,
    summary: "The source's columns differ from its contract",
    remedy: 'Change the contract of the input port, or have the source repaired.',
  },
  // --- transformation
  TRANSFORM_PROJECT_UNPARSABLE: {
    status: 422,
    summary: 'dbt cannot read the project',
    remedy: 'Correct the file at the given line; `dbt parse` in the folder shows the same.',
  },
  TRANSFORM_PACKAGES_MISSING: {
    status: 422,
    summary: 'The project names packages that are not in it',
    remedy: 'Run `dbt deps` and commit the folder dbt_packages: runs never load code from elsewhere.',
  },
  TRANSFORM_SELECT_INVALID: {
    status: 422,
    summary: 'Not a dbt selection',
    remedy: 'Write names and methods separated by spaces, such as `staging+ tag:daily`; options are not part of a selection.',
  },
  TRANSFORM_MODEL_FAILED: {
    status: 422,
    summary: 'A model could not be built',
    remedy: 'Correct the SQL of the model; what was served before stays served.',
  },
  TRANSFORM_TEST_FAILED: {
    status: 422,
    summary: 'A data test failed',
    remedy: 'Correct the data or the model, or the test; what was served before stays served.',
  },
  TRANSFORM_BUILD_FAILED: {
    status: 422,
    summary: 'dbt stopped before it was done',
    remedy: 'Read what dbt said; correct it and run again.',
  },
  TRANSFORM_DATABASE_UNREACHABLE: {
    status: 503,
    summary: 'dbt cannot connect to the database',
    remedy: 'Run again; if it stays, `heddle doctor` says whether the database stands.',
  },
  TRANSFORM_JOB_LOST: {
    status: 503,
    summary: 'The dbt process ended or hung without a result',
    remedy:
      'Run again. If it happens again, the log says how the process ended; a run that needs too much memory ends like this.',
  },
  TRANSFORM_JOB_CANCELLED: {
    status: 409,
    summary: 'The dbt run was cancelled',
    remedy: 'Nothing to do; run again when you want it.',
  },
  TRANSFORM_JOB_TIMEOUT: {
    status: 422,
    summary: 'The dbt run took longer than it may',
    remedy: 'Make the slowest model cheaper (incremental, fewer rows), or have the limit raised.',
  },
  TRANSFORM_RUNTIME_BROKEN: {
    status: 500,
    summary: 'The dbt fork server does not start',
    remedy: 'Run `heddle doctor`; it checks the Python environment and repairs it.',
  },
  TRANSFORM_PATH_UNREACHABLE: {
    status: 500,
    summary: "A product's own user cannot reach a folder it needs",
    remedy: 'Give every folder above it the right to pass: chmod o+x.',
  },
  TRANSFORM_MANIFEST_UNREADABLE: {
    status: 422,
    summary: 'What dbt wrote about the project cannot be read',
    remedy: 'Run again; if it stays, look for a macro that writes into the target folder.',
  },
  TRANSFORM_NODE_OUTSIDE_BUILD: {
    status: 422,
    summary: 'A model would be built outside the build schema',
    remedy:
      'Remove `schema:` and `database:` from the config and any macro generate_schema_name: the platform chooses where a product is built.',
  },
  TRANSFORM_GRANTS_REFUSED: {
    status: 422,
    summary: 'A model grants access itself',
    remedy: 'Remove `grants:` from the config; consumers get access by an agreement on the port.',
  },
  TRANSFORM_PORT_MODEL_MISSING: {
    status: 422,
    summary: 'No model builds an object of the port',
    remedy: "Add a model of that name, or name the model in the object's `from:`.",
  },
  TRANSFORM_PORT_NOT_A_TABLE: {
    status: 422,
    summary: 'An object of a port is not built as a table',
    remedy: "Write {{ config(materialized='table') }} or 'incremental' at the top of the model.",
  },
  // --- repository
  REPOSITORY_ABSENT: {
    status: 404,
    summary: 'No such repository',
    remedy: 'Run `heddle retry` on the request that makes the product.',
  },
  REPOSITORY_COMMIT_MISSING: {
    status: 404,
    summary: 'No such commit',
    remedy: 'Push the commit first, or name one that the repository has.',
  },
  REPOSITORY_PATH_UNSAFE: {
    status: 422,
    summary: 'A file name that cannot be checked out safely',
    remedy: 'Rename the file: plain names, no two that differ only in upper and lower case.',
  },
  REPOSITORY_LINK_REFUSED: {
    status: 422,
    summary: 'Symbolic links and submodules are not taken',
    remedy: 'Commit the files themselves, or use a dbt package.',
  },
  REPOSITORY_TREE_TOO_LARGE: {
    status: 422,
    summary: 'The commit holds too much',
    remedy: 'Keep code in the repository and bring data in by ingestion.',
  },
  REPOSITORY_FOLDER_NOT_EMPTY: {
    status: 409,
    summary: 'The folder to check out into is not empty',
    remedy: 'Run it again: each run gets a folder of its own.',
  },
  REPOSITORY_DAMAGED: {
    status: 500,
    summary: 'The repository is damaged',
    remedy: 'Restore its folder under `repos/` from a backup; `heddle doctor` names it.',
  },
  REPOSITORY_GIT_FAILED: {
    status: 500,
    summary: 'git failed',
    remedy: 'Run it again; if it stays, `heddle doctor` checks the repository and the disk.',
  },
  REPOSITORY_GIT_MISSING: {
    status: 500,
    summary: 'git is missing or too old',
    remedy: 'Install git 2.32 or newer with its http-backend.',
  },
  // --- server (embedded parts, start and stop)
  SERVER_START_BUSY: { status: 409, summary: 'Another start or stop is under way', remedy: 'Wait a moment and try again.' },
  SERVER_LISTEN_FIXED: {
    status: 409,
    summary: 'It runs already and listens on another number',
    remedy: '`heddle stop`, then start it with `--listen`.',
  },
  SERVER_PLATFORM_UNSUPPORTED: {
    status: 500,
    summary: 'No embedded PostgreSQL for this machine',
    remedy:
      'Run `npm ci` with optional dependencies on Linux or macOS (x64 or arm64), or give the URL of a PostgreSQL 16 or newer.',
  },
  SERVER_USER_MISSING: {
    status: 500,
    summary: 'No user to run the database as',
    remedy: 'As root, run `useradd --system heddle-postgres`, or start Heddle as an ordinary user.',
  },
  SERVER_DATA_UNREACHABLE: {
    status: 500,
    summary: 'The data directory cannot be used',
    remedy: 'Choose another folder with `heddle start --data DIR`.',
  },
  SERVER_DATA_FOREIGN: {
    status: 500,
    summary: 'The folder belongs to something else',
    remedy: 'Choose an empty or new folder with `heddle start --data DIR`.',
  },
  SERVER_KEY_INVALID: {
    status: 500,
    summary: 'The key of the stored secrets is damaged',
    remedy: 'Restore `secrets.key` from a backup: without it the stored secrets cannot be read.',
  },
  SERVER_DATABASE_FAILED: {
    status: 500,
    summary: 'The embedded database does not start',
    remedy: 'Read `logs/postgres.log` in the data directory, free disk or memory where it says so, and start again.',
  },
  // --- request, product, run
  ROLLBACK_OUTDATED: {
    status: 409,
    summary: 'Another release is served than the roll back was planned over',
    remedy: 'Look at `heddle show`, then roll back again.',
  },
  ROLLBACK_PROTECTION_LOST: {
    status: 409,
    summary: 'The roll back would open rows that are filtered now',
    remedy: 'Deploy a commit that keeps the row filter instead.',
  },
  RELEASE_UNKNOWN: { status: 404, summary: 'There is no such release', remedy: 'Look at the releases with `heddle show`.' },
  PUSH_OVERTAKEN: {
    status: 409,
    summary: 'Another push to main came first',
    remedy: '`git pull --rebase`, look at what came, then push again.',
  },
  RELEASE_NOTHING_NEWER: {
    status: 409,
    summary: 'There is nothing newer to promote',
    remedy: 'Push to main, wait until the first environment is green, then promote.',
  },
  RELEASE_NOT_PINNED: {
    status: 409,
    summary: 'The release is not pinned',
    remedy: 'Only a roll back pins; `heddle deploy` deploys the head of main.',
  },
  RELEASE_REVISION_GONE: {
    status: 409,
    summary: 'The data of that release is not kept any more',
    remedy: 'Deploy its commit again: `heddle deploy --commit`.',
  },
  SAMPLE_NOT_BUILT: {
    status: 500,
    summary: 'The sample could not be built',
    remedy: 'Look at the failed run, or start with --empty.',
  },
  TEMPLATE_UNKNOWN: {
    status: 404,
    summary: 'There is no such template',
    remedy: 'Use `standard`, or a template that mesh.yml names.',
  },
  DEPLOY_NOTHING_THERE: { status: 409, summary: 'There is nothing to deploy', remedy: 'Push a commit to main.' },
  REQUEST_EDIT_REFUSED: {
    status: 409,
    summary: 'That part of a request cannot change',
    remedy: 'Withdraw or undo it and make a new one.',
  },
  RUN_UNKNOWN: { status: 404, summary: 'There is no such run', remedy: '`heddle runs` lists them.' },
  RUN_STATE_WRONG: { status: 409, summary: 'The run is past that', remedy: 'Look at it with `heddle logs`.' },
  RUN_SUPERSEDED: { status: 409, summary: 'A newer run has replaced it', remedy: 'Look at the newest run of the product.' },
  PRODUCT_UNKNOWN: { status: 404, summary: 'There is no such product', remedy: '`heddle status` lists the products there are.' },
  DOMAIN_UNKNOWN: {
    status: 404,
    summary: 'There is no such domain',
    remedy: '`heddle ls domains` lists them; anyone may request a new one.',
  },
  ENVIRONMENT_UNKNOWN: {
    status: 404,
    summary: 'There is no such environment',
    remedy: 'Use an environment that mesh.yml names.',
  },
  REQUEST_UNKNOWN: { status: 404, summary: 'There is no such request', remedy: '`heddle request ls` lists them.' },
  REQUEST_STATE_WRONG: { status: 409, summary: 'The request is past that', remedy: 'Look at it with `heddle request show`.' },
  MESH_FILE_INVALID: { status: 422, summary: 'mesh.yml is not valid', remedy: 'Repair the named place and start again.' },
  RUN_LEASE_LOST: {
    status: 409,
    summary: 'Another worker holds the run',
    remedy: 'Nothing to do: the other worker finishes it.',
  },
  RUN_COMMAND_UNKNOWN: {
    status: 500,
    summary: 'The run needs a command this version does not have',
    remedy: 'Start the version that planned the run, or cancel it and plan again.',
  },
  RUN_RESULT_MISSING: {
    status: 500,
    summary: 'A step needs the result of one that has not succeeded',
    remedy: 'Retry the run from the missing step.',
  },
  RUN_CANCELLED: { status: 409, summary: 'The run was cancelled', remedy: 'Start it again with `heddle retry`, or push.' },
  DOMAIN_NAME_TAKEN: { status: 409, summary: 'The domain exists', remedy: 'Choose another name.', rule: 'REF02' },
  PRODUCT_NAME_TAKEN: { status: 409, summary: 'The name is taken', remedy: 'Choose another name.', rule: 'REF02' },
  // --- inputs (what a product reads of others)
  INPUT_PORT_UNKNOWN: {
    status: 422,
    summary: 'The input port names nothing that is served',
    remedy: 'Correct dataProduct and outputPort in the spec, or wait for the first release of the other product.',
  },
  INPUT_VERSION_UNMET: {
    status: 409,
    summary: 'The other product serves no version in the range',
    remedy: 'Test against what is served and widen `version` of the input port, or ask its owner to keep the older major.',
  },
  INPUT_CONTRACT_UNMET: {
    status: 409,
    summary: 'The contract of the other product lacks what is expected of it',
    remedy: 'Correct `expects` of the input port, or ask the owner of the other product.',
  },
  // --- access
  ACCESS_NOT_GRANTED: {
    status: 403,
    summary: 'No active agreement',
    remedy: 'Ask for access with a purpose: `heddle access request`.',
  },
  APPROVAL_NOT_YOURS: { status: 403, summary: "The decision is somebody else's", remedy: 'Ask one of the named approvers.' },
  APPROVAL_OWN_REQUEST: { status: 403, summary: 'Nobody approves their own request here', remedy: 'Ask another approver.' },
  APPROVAL_REPEATED: { status: 409, summary: 'You have decided it already', remedy: 'Wait for the other approvers.' },
  ACCESS_PORT_UNKNOWN: {
    status: 404,
    summary: 'There is no such port to read',
    remedy: '`heddle show` lists the ports of a product.',
  },
  ACCESS_OFFER_UNKNOWN: {
    status: 404,
    summary: 'The port is not offered on those terms',
    remedy: '`heddle show` lists the offers of a product.',
  },
  ACCESS_PURPOSE_REFUSED: {
    status: 422,
    summary: 'The offer does not permit that purpose',
    remedy: 'Name a permitted purpose, or ask the owner for another offer.',
  },
  ACCESS_DURATION_REFUSED: {
    status: 422,
    summary: 'The offer does not run that long',
    remedy: 'Ask for less time; a renewable agreement can be asked for again.',
  },
  SUBJECT_UNKNOWN: { status: 404, summary: 'There is no such subject', remedy: '`heddle ls subjects` lists them.' },
  AGREEMENT_UNKNOWN: { status: 404, summary: 'There is no such agreement', remedy: '`heddle access ls` lists them.' },
  ACCESS_PROOF_FAILED: {
    status: 500,
    summary: 'The log-in as the subject did not show what was agreed',
    remedy: 'Look at the evidence: `heddle access show`; the platform team must repair it before the agreement can be active.',
  },
  // --- data port
  DATA_QUERY_INVALID: {
    status: 400,
    summary: 'The query of the data port cannot be read',
    remedy: 'Correct it at the column shown, counted in the query string; docs/data-port.md has the whole language.',
  },
  DATA_COLUMN_UNKNOWN: {
    status: 400,
    summary: 'There is no such column in the object',
    remedy: 'GET the port itself: it lists objects, columns and types.',
  },
  DATA_VALUE_INVALID: {
    status: 400,
    summary: "The value does not fit the column's type",
    remedy: 'Correct it at the column shown, counted in the query string.',
  },
  DATA_CURSOR_INVALID: {
    status: 400,
    summary: 'The cursor does not belong to this query',
    remedy: 'Send back `next` of the page before, with the same query and as the same subject; or begin without a cursor.',
  },
  DATA_CURSOR_OUTDATED: {
    status: 410,
    summary: 'The data were published anew since the first page',
    remedy: 'Begin again without a cursor.',
  },
  DATA_OBJECT_UNKNOWN: {
    status: 404,
    summary: 'The port has no such object',
    remedy: 'GET the port itself: it lists objects, columns and types.',
  },
  DATA_FORMAT_UNKNOWN: {
    status: 406,
    summary: 'The data port does not speak that format',
    remedy: 'Accept application/json or text/csv.',
  },
  DATA_QUERY_TOO_LONG: {
    status: 414,
    summary: 'The query is longer than 8 KB',
    remedy: 'Ask in several queries, or select and order by fewer columns.',
  },
  DATA_BUDGET_EXCEEDED: {
    status: 504,
    summary: "The read took longer than the domain's budget allows",
    remedy: 'Filter more, or ask for fewer rows at once.',
  },
  DATA_READERS_BUSY: {
    status: 503,
    summary: 'Too many reads at this moment',
    remedy: 'Try again in a moment.',
  },
  TOKEN_UNKNOWN: { status: 404, summary: 'There is no such token', remedy: '`heddle token ls` lists yours.' },
  // --- service levels
  INCIDENT_UNKNOWN: { status: 404, summary: 'There is no such incident', remedy: '`heddle incidents --all` lists them.' },
  INCIDENT_STATE_WRONG: {
    status: 409,
    summary: 'The incident is not open any more',
    remedy: '`heddle incidents` shows who has it, and since when.',
  },
  NOTIFY_ADDRESS_REFUSED: {
    status: 422,
    summary: 'Messages are not sent to that address',
    remedy: 'Use a public https address, or ask the platform team to allow its host in mesh.yml (notices.webhooks.allow).',
  },
  NOTIFY_SECRET_MISSING: {
    status: 422,
    summary: 'A receiver has no address or no signing key',
    remedy: 'Set its secret to the address, then # and the signing key: https://host/path#whsec_BASE64.',
  },
  NOTIFY_ADAPTER_MISSING: {
    status: 503,
    summary: 'Nothing is set up to send messages of that kind',
    remedy: 'The platform team sets notices.smtp in mesh.yml.',
  },
  // --- catalog
  CATALOG_CURSOR_INVALID: {
    status: 422,
    summary: 'The cursor is not one of this list',
    remedy: 'Ask for the first page again, without a cursor; a cursor belongs to the sort it came from.',
  },
  LINEAGE_ADDRESS_UNKNOWN: {
    status: 404,
    summary: 'Nothing of this name is in the lineage',
    remedy: 'Name a product, domain/product/port.object or domain/product/port.object.column that is served.',
  },
  // --- http, cli
  STORE_UNREACHABLE: {
    status: 503,
    summary: 'The control database does not answer',
    remedy: 'Try again in a few seconds; when it stays away, run `heddle doctor`.',
  },
  HTTP_NOT_SIGNED_IN: { status: 401, summary: 'Nobody is signed in', remedy: 'Open the address that `heddle open` prints.' },
  HTTP_NOT_ALLOWED: { status: 403, summary: 'Not allowed', remedy: 'Ask one of the named people.' },
  HTTP_AS_REFUSED: {
    status: 403,
    summary: 'Nobody may act as that user',
    remedy: 'Only sample users are played, and only on this machine.',
  },
  HTTP_FORGERY_REFUSED: {
    status: 403,
    summary: 'The call could come from another page',
    remedy: 'Send the header Heddle-Request: 1 with the cookie.',
  },
  HTTP_HOST_REFUSED: { status: 421, summary: 'Another host name', remedy: 'Use http://127.0.0.1 or http://localhost.' },
  HTTP_ONCE_SPENT: { status: 401, summary: 'The one-time address is spent', remedy: '`heddle open` prints a new one.' },
  HTTP_INPUT_INVALID: {
    status: 422,
    summary: 'The input does not have the expected shape',
    remedy: 'Look at /api/v1/openapi.json.',
  },
  HTTP_INPUT_TOO_LARGE: { status: 413, summary: 'The input is too large', remedy: 'Send less at once.' },
  HTTP_ROUTE_UNKNOWN: { status: 404, summary: 'There is no such address', remedy: 'Look at /api/v1/openapi.json.' },
  HTTP_ROUTE_WITHOUT_RULE: { status: 500, summary: 'A route says not who may call it', remedy: 'Give the route a rule.' },
  CLI_USAGE_INVALID: {
    status: 400,
    summary: 'The command line cannot be read',
    remedy: 'Run `heddle --help`, or `heddle VERB --help` for one verb.',
  },
  CLI_INPUT_MISSING: {
    status: 400,
    summary: 'A question could not be asked here',
    remedy: 'Give the answer as a flag; `--yes` answers a question of yes or no.',
  },
  CLI_PRODUCT_MISSING: {
    status: 400,
    summary: 'No product named and none here',
    remedy: 'Name it (domain/product), or go into its repository, or point there with `-C DIR`.',
  },
  CLI_CLONE_FAILED: {
    status: 500,
    summary: 'git could not clone the repository',
    remedy: 'Read what git says above the error; run `heddle doctor`.',
  },
  CLI_TREE_LIMIT: {
    status: 400,
    summary: 'The working tree is too large to plan',
    remedy: 'Keep data out of the repository, or name what is not part of the product in `.gitignore`.',
  },
  CLIENT_SERVER_UNREACHABLE: {
    status: 503,
    summary: 'The server cannot be reached',
    remedy: 'Run `heddle start`; where the data is elsewhere, add `--data DIR`.',
  },
  CLIENT_ANSWER_INVALID: {
    status: 502,
    summary: 'The answer is not one of this API',
    remedy: 'Check with `heddle version` that client and server are of one version, and that nothing sits between them.',
  },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERRORS
