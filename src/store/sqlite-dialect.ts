/** PostgreSQL writes `$1`, SQLite `?1`. */
export function numbered(sql: string): string {
  return sql.replaceAll(/\$(\d+)/g, '?$1');
}

/** SQLite has no arrays: a list travels as JSON. */
export function oneOf(column: string, parameter: string): string {
  return `${column} in (select value from json_each(${parameter}))`;
}

export function bindable(value: string | number | readonly string[]): string | number {
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
