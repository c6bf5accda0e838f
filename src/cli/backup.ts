import { parseEnvironment } from '../config/environment.ts';
import { backupSqlite } from '../store/sqlite-backup.ts';
import { EXIT, type Terminal } from './command.ts';

/** Copies the embedded store to a file while the service runs. */
export async function backup(terminal: Terminal, file: string): Promise<number> {
  const environment = parseEnvironment(terminal.env, terminal.sources.readFile);
  if (!environment.ok) {
    for (const problem of environment.problems) terminal.err(problem);
    return EXIT.configuration;
  }
  if (environment.value.databaseUrl) {
    terminal.err('The data is in PostgreSQL: back it up with pg_dump.');
    return EXIT.usage;
  }
  await backupSqlite(environment.value.dataDir, file);
  terminal.out(`Copied to ${file}. To restore, stop the service and put it in place of lynceus.db.`);
  return EXIT.ok;
}
