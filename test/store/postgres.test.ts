import { openPostgresStore } from '../../src/store/postgres.ts';
import { storeContract } from '../contracts/store.ts';
import { withPostgres } from '../support/postgres.ts';

withPostgres('the PostgreSQL store', (database) => {
  storeContract(async () => {
    const store = await openPostgresStore({ connectionString: database.url });
    return {
      store,
      openAnother: () => openPostgresStore({ connectionString: database.url }),
      dispose: () => store.close(),
    };
  });
});
